"""What is handed out: wheel, sdist, container, and the version that they all tell."""
