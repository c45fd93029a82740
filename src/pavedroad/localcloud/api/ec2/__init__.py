"""EC2: instances whose states follow real processes, over moto's networks, images and templates."""
