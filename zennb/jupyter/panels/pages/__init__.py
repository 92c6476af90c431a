"""The pages of the dashboard and of the stack picker, with their browsers and forms."""
