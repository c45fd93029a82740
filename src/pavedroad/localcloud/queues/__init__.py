"""SQS: queues, standard and FIFO, whose messages outlive a restart."""
