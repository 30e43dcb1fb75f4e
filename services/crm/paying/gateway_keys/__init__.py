"""Where an admin sees their agency's payment gateway, and enters its keys in the secure frame."""
