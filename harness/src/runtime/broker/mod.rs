//! What must be there at a broker before the first node starts, declared through each broker's own client.

#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
