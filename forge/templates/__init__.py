"""Templates: graphs of users as generations. Slots are found in a graph, and a request fills them."""
