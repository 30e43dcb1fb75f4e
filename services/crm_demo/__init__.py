"""An agency to try Wayvault with. Everything in it is invented."""
