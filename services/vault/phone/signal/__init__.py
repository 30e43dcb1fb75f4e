"""What a call's sound holds: G.711, RTP, RFC 4733, keys by their tones, and the delay line that takes keys out."""
