using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Weft.Proxy.Telemetry.Access;

/// <summary>
/// One record as a line of JSON, with the field names of Istio's JSON access log, so that what reads that reads this. `decision` is Weft's own: why the request went where it went.
/// </summary>
internal sealed class AccessJson(InternTable<string> names)
{
    // A log is not HTML: only what JSON itself needs is escaped. What is not UTF-8 is replaced, so that every line can be read.
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(in AccessRecord record, in AccessTexts texts, IBufferWriter<byte> to)
    {
        using (var json = new Utf8JsonWriter(to, Options))
        {
            json.WriteStartObject();
            json.WriteString("start_time"u8, DateTime.UnixEpoch.AddMicroseconds(record.StartMicroseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"));
            Text(json, "method"u8, texts.Method);
            Text(json, "authority"u8, texts.Authority);
            Text(json, "path"u8, texts.Path);
            json.WriteString("protocol"u8, record.HttpVersion switch { 10 => "HTTP/1.0", 20 => "HTTP/2", _ => "HTTP/1.1" });
            json.WriteNumber("response_code"u8, record.Status);
            json.WriteString("response_flags"u8, ResponseFlagText.Of(record.Flags));
            if (record.Detail != 0)
                json.WriteString("response_code_details"u8, names[record.Detail]);
            if (record.GrpcStatus >= 0)
                json.WriteNumber("grpc_status"u8, record.GrpcStatus);
            json.WriteNumber("bytes_received"u8, record.RequestBytes);
            json.WriteNumber("bytes_sent"u8, record.ResponseBytes);
            json.WriteNumber("duration"u8, record.DurationMicroseconds / 1000.0);
            if (record.UpstreamMicroseconds >= 0)
                json.WriteNumber("upstream_service_time"u8, record.UpstreamMicroseconds / 1000.0);
            json.WriteString("downstream_remote_address"u8, Address(record));
            Text(json, "x_forwarded_for"u8, texts.ForwardedFor);
            Text(json, "user_agent"u8, texts.UserAgent);
            Text(json, "request_id"u8, texts.RequestId);
            Text(json, "requested_server_name"u8, texts.ServerName);
            Name(json, "route_name"u8, record.Route);
            Name(json, "upstream_cluster"u8, record.Cluster);
            if (record.TryCount > 0)
                json.WriteString("upstream_host"u8, names[record.Tries[record.TryCount - 1].Endpoint]);
            if (record.TraceId != UInt128.Zero)
            {
                json.WriteString("trace_id"u8, record.TraceId.ToString("x32"));
                json.WriteString("span_id"u8, record.SpanId.ToString("x16"));
            }

            Decision(json, record);
            json.WriteEndObject();
        }

        to.Write("\n"u8);
    }

    private void Decision(Utf8JsonWriter json, in AccessRecord record)
    {
        json.WriteStartObject("decision"u8);
        Name(json, "listener"u8, record.Listener);
        Name(json, "virtual_host"u8, record.VirtualHost);
        Name(json, "route"u8, record.Route);
        Name(json, "identity"u8, record.Identity);
        Name(json, "policy"u8, record.Policy);
        Name(json, "dry_run_policy"u8, record.DryRunPolicy);
        if (record.TryCount > 0)
        {
            json.WriteStartArray("tries"u8);
            for (var i = 0; i < record.TryCount; i++)
            {
                var one = record.Tries[i];
                json.WriteStartObject();
                json.WriteString("endpoint"u8, names[one.Endpoint]);
                json.WriteString("outcome"u8, OutcomeText(one.Outcome));
                if (one.Status != 0)
                    json.WriteNumber("status"u8, one.Status);
                json.WriteNumber("ms"u8, one.Microseconds / 1000.0);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static string OutcomeText(TryOutcome outcome) => outcome switch
    {
        TryOutcome.Answered => "answered",
        TryOutcome.ConnectFailed => "connect failed",
        TryOutcome.Reset => "reset",
        TryOutcome.TimedOut => "timed out",
        TryOutcome.Overflow => "pool full",
        TryOutcome.Refused => "refused",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    private void Name(Utf8JsonWriter json, ReadOnlySpan<byte> property, int number)
    {
        if (number != 0)
            json.WriteString(property, names[number]);
    }

    private static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> property, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            json.WriteString(property, Encoding.UTF8.GetString(value));
    }

    private static string Address(in AccessRecord record)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, record.ClientAddress);
        var address = new IPAddress(bytes);
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, record.ClientPort).ToString();
    }
}
