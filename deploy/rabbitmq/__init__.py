"""Sets RabbitMQ up for Wayvault: virtual host, users with permissions for their own queues only, policies."""
