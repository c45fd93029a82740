"""What the cloud publishes about itself, as AWS does: AWS/EC2 and AWS/ApplicationELB, a minute at a time."""
