using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Weft.Proxy.Telemetry.Tracing;

namespace Weft.Proxy.Telemetry.Access;

/// <summary>
/// One record as a line of JSON, with the field names of Istio's JSON access log, so that what reads that reads this. `decision` is Weft's own: why the request went where it went.
/// Written for each request, if not by its loop: names are encoded once, nothing is allocated for a line.
/// </summary>
internal sealed class AccessJson(InternTable<string> names) : IAccessFormat
{
    // A log is not HTML: only what JSON itself needs is escaped. What is not UTF-8 is replaced, so that every line can be read.
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly Utf8JsonWriter _json = new(Stream.Null, Options);
    private readonly Dictionary<ResponseFlags, JsonEncodedText> _flags = [];
    private readonly byte[] _time = "1970-01-01T00:00:00.000000Z"u8.ToArray();
    private JsonEncodedText?[] _names = new JsonEncodedText?[64];
    private long _second = -1;

    public void Write(in AccessRecord record, in AccessTexts texts, IBufferWriter<byte> to)
    {
        var json = _json;
        json.Reset(to);
        json.WriteStartObject();
        json.WriteString("start_time"u8, Time(record.StartMicroseconds));
        Text("method"u8, texts.Method);
        Text("authority"u8, texts.Authority);
        Text("path"u8, texts.Path);
        json.WriteString("protocol"u8, record.HttpVersion switch { 1 => "TCP"u8, 10 => "HTTP/1.0"u8, 20 => "HTTP/2"u8, _ => "HTTP/1.1"u8 });
        json.WriteNumber("response_code"u8, record.Status);
        json.WriteString("response_flags"u8, Flags(record.Flags));
        Name("response_code_details"u8, record.Detail);
        if (record.GrpcStatus >= 0)
            json.WriteNumber("grpc_status"u8, record.GrpcStatus);
        json.WriteNumber("bytes_received"u8, record.RequestBytes);
        json.WriteNumber("bytes_sent"u8, record.ResponseBytes);
        json.WriteNumber("duration"u8, record.DurationMicroseconds / 1000.0);
        if (record.UpstreamMicroseconds >= 0)
            json.WriteNumber("upstream_service_time"u8, record.UpstreamMicroseconds / 1000.0);
        Address(record);
        Text("x_forwarded_for"u8, texts.ForwardedFor);
        Text("user_agent"u8, texts.UserAgent);
        Text("request_id"u8, texts.RequestId);
        Text("requested_server_name"u8, texts.ServerName);
        Name("route_name"u8, record.Route);
        Name("upstream_cluster"u8, record.Cluster);
        if (record.TryCount > 0)
            Name("upstream_host"u8, record.Tries[record.TryCount - 1].Endpoint);
        if (record.TraceId != UInt128.Zero)
        {
            Span<byte> digits = stackalloc byte[32];
            Hex.Write(record.TraceId, digits);
            json.WriteString("trace_id"u8, digits);
            Hex.Write(record.SpanId, digits[..16]);
            json.WriteString("span_id"u8, digits[..16]);
        }

        Decision(record);
        json.WriteEndObject();
        json.Flush();
        to.Write("\n"u8);
    }

    private void Decision(in AccessRecord record)
    {
        _json.WriteStartObject("decision"u8);
        Name("listener"u8, record.Listener);
        Name("virtual_host"u8, record.VirtualHost);
        Name("route"u8, record.Route);
        Name("source"u8, record.Source);
        Name("destination"u8, record.Service);
        Name("identity"u8, record.Identity);
        Name("policy"u8, record.Policy);
        Name("dry_run_policy"u8, record.DryRunPolicy);
        if (record.TryCount > 0)
        {
            _json.WriteStartArray("tries"u8);
            for (var i = 0; i < record.TryCount; i++)
            {
                var one = record.Tries[i];
                _json.WriteStartObject();
                Name("endpoint"u8, one.Endpoint);
                _json.WriteString("outcome"u8, OutcomeText(one.Outcome));
                if (one.Status != 0)
                    _json.WriteNumber("status"u8, one.Status);
                _json.WriteNumber("ms"u8, one.Microseconds / 1000.0);
                _json.WriteEndObject();
            }

            _json.WriteEndArray();
        }

        _json.WriteEndObject();
    }

    internal static ReadOnlySpan<byte> OutcomeText(TryOutcome outcome) => outcome switch
    {
        TryOutcome.Answered => "answered"u8,
        TryOutcome.ConnectFailed => "connect failed"u8,
        TryOutcome.Reset => "reset"u8,
        TryOutcome.TimedOut => "timed out"u8,
        TryOutcome.Overflow => "pool full"u8,
        TryOutcome.Refused => "refused"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    private void Name(ReadOnlySpan<byte> property, int number)
    {
        if (number == 0)
            return;
        if (number >= _names.Length)
            Array.Resize(ref _names, Math.Max(number + 1, _names.Length * 2));
        _json.WriteString(property, _names[number] ??= JsonEncodedText.Encode(names[number], Options.Encoder));
    }

    private void Text(ReadOnlySpan<byte> property, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return;
        if (Utf8.IsValid(value))
            _json.WriteString(property, value);
        else
            _json.WriteString(property, Encoding.UTF8.GetString(value));
    }

    private JsonEncodedText Flags(ResponseFlags flags)
    {
        if (!_flags.TryGetValue(flags, out var text))
            _flags.Add(flags, text = JsonEncodedText.Encode(ResponseFlagText.Of(flags)));
        return text;
    }

    /// <summary>The date is written once for all records of a second.</summary>
    private ReadOnlySpan<byte> Time(long microseconds)
    {
        var (second, rest) = Math.DivRem(microseconds, 1_000_000);
        if (second != _second)
        {
            DateTime.UnixEpoch.AddSeconds(second).TryFormat(_time, out _, "yyyy-MM-dd'T'HH:mm:ss");
            _second = second;
        }

        for (var i = 25; i > 19; i--)
        {
            _time[i] = (byte)('0' + (rest % 10));
            rest /= 10;
        }

        return _time;
    }

    private void Address(in AccessRecord record)
    {
        Span<byte> text = stackalloc byte[64];
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, record.ClientAddress);
        var length = 0;
        if (record.ClientAddress >> 32 == 0xFFFF)
        {
            for (var i = 12; i < 16; i++)
                Number(text, bytes[i], ref length, i < 15 ? (byte)'.' : (byte)':');
        }
        else
        {
            text[length++] = (byte)'[';
            new IPAddress(bytes).TryFormat(text[1..], out var written);
            length += written;
            text[length++] = (byte)']';
            text[length++] = (byte)':';
        }

        Number(text, record.ClientPort, ref length, 0);
        _json.WriteString("downstream_remote_address"u8, text[..length]);
    }

    private static void Number(Span<byte> text, int value, ref int length, byte after)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(value, text[length..], out var written);
        length += written;
        if (after != 0)
            text[length++] = after;
    }
}
