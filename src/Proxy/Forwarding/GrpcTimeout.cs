using Weft.Proxy.Http;

namespace Weft.Proxy.Forwarding;

/// <summary>The field `grpc-timeout`: up to eight digits and a unit ("gRPC over HTTP2", Timeout).</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;

    // A time of zero would be read as none.
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    /// <summary>Null: there is none, or it is not one.</summary>
    public static TimeSpan? Of(HeaderList headers) =>
        headers.TryGet(KnownHeader.GrpcTimeout, out var text) && Parse(text) is { } timeout ? timeout > Least ? timeout : Least : null;

    internal static TimeSpan? Parse(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 2 or > MaxDigits + 1)
            return null;
        long value = 0;
        foreach (var digit in text[..^1])
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return null;
            value = (value * 10) + digit - '0';
        }

        return text[^1] switch
        {
            (byte)'H' => TimeSpan.FromTicks(value * TimeSpan.TicksPerHour),
            (byte)'M' => TimeSpan.FromTicks(value * TimeSpan.TicksPerMinute),
            (byte)'S' => TimeSpan.FromTicks(value * TimeSpan.TicksPerSecond),
            (byte)'m' => TimeSpan.FromTicks(value * TimeSpan.TicksPerMillisecond),
            (byte)'u' => TimeSpan.FromTicks(value * TimeSpan.TicksPerMicrosecond),
            (byte)'n' => TimeSpan.FromTicks(value / TimeSpan.NanosecondsPerTick),
            _ => null,
        };
    }
}
