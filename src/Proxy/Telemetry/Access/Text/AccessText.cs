using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Telemetry.Access.Text;

/// <summary>
/// Records as lines of a template. No value can end a line, a quoted value or look like a control sequence of a terminal: all but printable ASCII is written `\xHH`, a quote and a backslash with a
/// backslash before it.
/// </summary>
internal sealed class AccessText(LogTemplate template, InternTable<string> names) : IAccessFormat
{
    private static readonly string[] GrpcNames =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange",
        "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ];

    private byte[] _scratch = new byte[256];

    public void Write(in AccessRecord record, in AccessTexts texts, IBufferWriter<byte> to)
    {
        foreach (var part in template.Parts)
        {
            if (part.Value == LogValue.Literal)
                to.Write(part.Text);
            else
                Escape(Value(part, record, texts), part.Most, to);
        }
    }

    private ReadOnlySpan<byte> Value(LogPart part, in AccessRecord record, in AccessTexts texts)
    {
        for (LogPart? one = part; one is not null; one = one.Otherwise)
        {
            if (One(one, record, texts) is { IsEmpty: false } value)
                return value;
        }

        return "-"u8;
    }

    private ReadOnlySpan<byte> One(LogPart part, in AccessRecord record, in AccessTexts texts) => part.Value switch
    {
        LogValue.StartTime => Text(part.Time!.Write(record.StartMicroseconds)),
        LogValue.Method => texts.Method,
        LogValue.Path => texts.Path,
        LogValue.Authority => texts.Authority,
        LogValue.Scheme => record.Tls ? "https"u8 : "http"u8,
        LogValue.Protocol => record.HttpVersion switch { 10 => "HTTP/1.0"u8, 20 => "HTTP/2"u8, _ => "HTTP/1.1"u8 },
        LogValue.ResponseCode => Number(record.Status),
        LogValue.ResponseFlags => Text(ResponseFlagText.Of(record.Flags)),
        LogValue.ResponseCodeDetails => Text(record.Detail == 0 && record.TryCount > 0 ? "via_upstream" : names[record.Detail]),
        LogValue.BytesReceived => Number(record.RequestBytes),
        LogValue.BytesSent => Number(record.ResponseBytes),
        LogValue.Duration => Number(record.DurationMicroseconds / 1000),
        LogValue.UpstreamServiceTime => record.UpstreamMicroseconds < 0 ? default : Number(record.UpstreamMicroseconds / 1000),
        LogValue.UpstreamHost => record.TryCount == 0 ? default : Text(names[record.Tries[record.TryCount - 1].Endpoint]),
        LogValue.UpstreamCluster => Text(names[record.Cluster]),
        LogValue.AttemptCount => Number(record.Earlier + record.TryCount),
        LogValue.RemoteAddress => Text(Address(record.ClientAddress, record.ClientPort)),
        LogValue.RemoteAddressWithoutPort => Text(Address(record.ClientAddress, null)),
        LogValue.RemotePort => Number(record.ClientPort),
        LogValue.LocalAddress => Text(Address(record.LocalAddress, record.LocalPort)),
        LogValue.LocalAddressWithoutPort => Text(Address(record.LocalAddress, null)),
        LogValue.LocalPort => Number(record.LocalPort),
        LogValue.PeerIdentity => Text(names[record.Identity]),
        LogValue.ServerName => texts.ServerName,
        LogValue.RouteName => Text(names[record.Route]),
        LogValue.GrpcStatus => record.GrpcStatus < 0 ? default : record.GrpcStatus < GrpcNames.Length ? Text(GrpcNames[record.GrpcStatus]) : Number(record.GrpcStatus),
        LogValue.GrpcStatusNumber => record.GrpcStatus < 0 ? default : Number(record.GrpcStatus),
        LogValue.TraceId => Trace(record.TraceId),
        LogValue.UserAgent => texts.UserAgent,
        LogValue.ForwardedFor => texts.ForwardedFor,
        LogValue.RequestId => texts.RequestId,
        LogValue.Field => LogFields.Find(texts.Fields, part.Field),
        LogValue.Absent => default,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part.Value, "no value"),
    };

    private ReadOnlySpan<byte> Text(string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_scratch.Length < most)
            _scratch = new byte[most];
        return _scratch.AsSpan(0, Encoding.UTF8.GetBytes(text, _scratch));
    }

    private ReadOnlySpan<byte> Number(long number)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(number, _scratch, out var written);
        return _scratch.AsSpan(0, written);
    }

    private ReadOnlySpan<byte> Trace(UInt128 id)
    {
        if (id == UInt128.Zero)
            return default;
        Hex.Write(id, _scratch.AsSpan(0, 32));
        return _scratch.AsSpan(0, 32);
    }

    private static string Address(UInt128 number, ushort? port)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        var address = new IPAddress(bytes);
        address = address.Plain();
        return port is { } known ? new IPEndPoint(address, known).ToString() : address.ToString();
    }

    private static void Escape(ReadOnlySpan<byte> value, int most, IBufferWriter<byte> to)
    {
        value = value[..Math.Min(value.Length, most)];
        var room = to.GetSpan(value.Length * 4);
        var at = 0;
        foreach (var c in value)
        {
            if (c is >= 0x20 and <= 0x7E)
            {
                if (c is (byte)'"' or (byte)'\\')
                    room[at++] = (byte)'\\';
                room[at++] = c;
            }
            else
            {
                room[at++] = (byte)'\\';
                room[at++] = (byte)'x';
                room[at++] = "0123456789ABCDEF"u8[c >> 4];
                room[at++] = "0123456789ABCDEF"u8[c & 15];
            }
        }

        to.Advance(at);
    }
}
