"""The Twilio carrier: webhooks in, TwiML out."""
