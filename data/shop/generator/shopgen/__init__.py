"""The invented shop: its pages, its parcels and what its customers write."""
