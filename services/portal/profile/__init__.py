"""A client's own profile (P6): contact, address, family, occasions. The CRM's word on it is the last one."""
