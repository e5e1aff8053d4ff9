//! Valid conversations of each protocol, to be changed.

use unbroken::plan::TapProtocol;

/// The bytes of both sides of one connection.
pub struct Conversation {
    pub protocol: TapProtocol,
    pub sent: Vec<u8>,
    pub answered: Vec<u8>,
}

pub const ALL: [fn() -> Conversation; 4] = [http1, http2, amqp, sqs];

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn http1() -> Conversation {
    let body = r#"{"id":"ub00000007-1"}"#;
    let sent = format!(
        "POST /orders?id=1 HTTP/1.1\r\nHost: shop\r\ntraceparent: {TRACEPARENT}\r\nbaggage: a=1,b=2\r\n\
         Content-Length: {}\r\n\r\n{body}GET /stock HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n\
         5;a=b\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n",
        body.len()
    );
    let answered = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n\
                    HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno";
    Conversation { protocol: TapProtocol::Http, sent: sent.into(), answered: answered.into() }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0x40, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

fn http2() -> Conversation {
    let head = [
        vec![0x83, 0x86, 0x84],
        literal("content-type", "application/grpc"),
        literal("traceparent", TRACEPARENT),
    ]
    .concat();
    let message = [&[0, 0, 0, 0, 14][..], b"\n\x0cub00000007-1"].concat();
    let sent = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 0x4, 1, &head),
        frame(0, 0, 1, &message),
        frame(0, 0x9, 1, &[&[2][..], &message, &[0, 0]].concat()),
        // The head of the next request comes from the dynamic table.
        frame(1, 0x5, 3, &[0x83, 0x86, 0x84, 0xbf, 0xbe]),
        frame(3, 0, 3, &8_u32.to_be_bytes()),
    ];
    let answered = [
        frame(4, 0, 0, &[]),
        frame(1, 0x4, 1, &[0x88]),
        frame(0, 0, 1, &message),
        frame(1, 0x5, 1, &literal("grpc-status", "0")),
        frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 2]),
    ];
    Conversation { protocol: TapProtocol::Grpc, sent: sent.concat(), answered: answered.concat() }
}

fn amqp_frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind], &channel.to_be_bytes()[..], &length, payload, &[0xce]].concat()
}

fn short_text(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

fn long_bytes(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn amqp_content(body: &[u8]) -> Vec<u8> {
    let table = [short_text("traceparent"), b"S".to_vec(), long_bytes(TRACEPARENT.as_bytes())].concat();
    let table = [table, short_text("n"), b"I\0\0\0\x07".to_vec()].concat();
    let size = u64::try_from(body.len()).unwrap().to_be_bytes();
    let head =
        [&[0, 60, 0, 0][..], &size, &0x2080_u16.to_be_bytes(), &long_bytes(&table), &short_text("id-1")];
    [amqp_frame(2, 1, &head.concat()), amqp_frame(3, 1, body)].concat()
}

fn amqp() -> Conversation {
    let publish = [&[0, 60, 0, 40, 0, 0][..], &short_text("shop"), &short_text("new"), &[1]].concat();
    let consume =
        [&[0, 60, 0, 20, 0, 0][..], &short_text("orders"), &short_text("c"), &[0], &long_bytes(&[])].concat();
    let consuming = [&[0, 60, 0, 21][..], &short_text("c")].concat();
    let deliver = [
        &[0, 60, 0, 60][..],
        &short_text("c"),
        &1_u64.to_be_bytes(),
        &[0],
        &short_text("shop"),
        &short_text("new"),
    ]
    .concat();
    let ack = [&[0, 60, 0, 80][..], &1_u64.to_be_bytes(), &[0]].concat();
    let sent = [
        b"AMQP\x00\x00\x09\x01".to_vec(),
        amqp_frame(1, 1, &publish),
        amqp_content(b"ub00000007-1"),
        amqp_frame(1, 1, &consume),
        amqp_frame(8, 0, &[]),
        amqp_frame(1, 1, &ack),
    ];
    let answered = [amqp_frame(1, 1, &consuming), amqp_frame(1, 1, &deliver), amqp_content(b"ub00000007-1")];
    Conversation { protocol: TapProtocol::Amqp, sent: sent.concat(), answered: answered.concat() }
}

fn sqs() -> Conversation {
    let mut conversation =
        Conversation { protocol: TapProtocol::Sqs, sent: Vec::new(), answered: Vec::new() };
    let attributes = format!(r#"{{"traceparent":{{"DataType":"String","StringValue":"{TRACEPARENT}"}}}}"#);
    let calls = [
        (
            "SendMessage",
            format!(
                r#"{{"QueueUrl":"http://q/1/orders","MessageBody":"ub00000007-1","MessageAttributes":{attributes}}}"#
            ),
            r#"{"MessageId":"m-1"}"#.to_owned(),
        ),
        (
            "ReceiveMessage",
            r#"{"QueueUrl":"http://q/1/orders","MessageAttributeNames":["All"]}"#.to_owned(),
            format!(
                r#"{{"Messages":[{{"MessageId":"m-1","ReceiptHandle":"r","Body":"x","MessageAttributes":{attributes}}}]}}"#
            ),
        ),
        (
            "DeleteMessageBatch",
            r#"{"QueueUrl":"http://q/1/orders","Entries":[{"Id":"1","ReceiptHandle":"r"}]}"#.to_owned(),
            r#"{"Successful":[{"Id":"1"}]}"#.to_owned(),
        ),
    ];
    for (name, request, answer) in calls {
        let length = request.len();
        let head =
            format!("POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.{name}\r\ncontent-length: {length}\r\n\r\n");
        conversation.sent.extend_from_slice(format!("{head}{request}").as_bytes());
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
        conversation.answered.extend_from_slice(format!("{head}{answer}").as_bytes());
    }
    conversation
}
