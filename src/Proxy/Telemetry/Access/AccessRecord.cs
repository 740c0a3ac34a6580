using System.Runtime.CompilerServices;

namespace Weft.Proxy.Telemetry.Access;

/// <summary>How one attempt at an endpoint ended.</summary>
internal enum TryOutcome : byte { Answered, ConnectFailed, Reset, TimedOut, Overflow, Refused }

/// <param name="Endpoint">Of the names table: `10.244.0.7:8080`.</param>
/// <param name="Status">What it answered; 0 when it did not.</param>
/// <param name="StartMicroseconds">After the first byte of the request.</param>
/// <param name="Span">Of this try, in the request's trace; 0: not sampled.</param>
internal readonly record struct Try(int Endpoint, int Microseconds, short Status, TryOutcome Outcome, int StartMicroseconds = 0, ulong Span = 0);

/// <summary>The attempts at one request, in order; of more than four the last ones stay.</summary>
[InlineArray(Capacity)]
internal struct Tries
{
    public const int Capacity = 4;
    private Try _first;
}

/// <summary>
/// One request and every decision taken for it, by numbers of the names table (0: none). The texts that only this request has are beside it (<see cref="AccessTexts"/>).
/// Plain values, so that writing it to a ring is a copy.
/// </summary>
internal struct AccessRecord
{
    /// <summary>When the first byte came, in microseconds since 1970.</summary>
    public long StartMicroseconds;
    /// <summary>From the first byte of the request to the last of the response.</summary>
    public long DurationMicroseconds;
    /// <summary>From sending the last try to the first byte of its response; -1: there was none.</summary>
    public long UpstreamMicroseconds;
    /// <summary>Of the body.</summary>
    public long RequestBytes;
    /// <summary>Of the body.</summary>
    public long ResponseBytes;
    public UInt128 TraceId;
    public ulong SpanId;
    public ulong ParentSpanId;
    /// <summary>Of the client, as IPv6 (IPv4-mapped where it is IPv4).</summary>
    public UInt128 ClientAddress;
    /// <summary>That the client's connection was meant for, likewise.</summary>
    public UInt128 LocalAddress;
    public ResponseFlags Flags;
    public int Listener;
    public int VirtualHost;
    public int Route;
    public int Cluster;
    /// <summary>The identity of the client, by its certificate.</summary>
    public int Identity;
    /// <summary>Workload of the client: `namespace/name`.</summary>
    public int Source;
    /// <summary>Host that the client has called, or workload that it has reached.</summary>
    public int Service;
    /// <summary>The policy that allowed or refused it.</summary>
    public int Policy;
    /// <summary>Which of the policy's rules, from 0 on; -1: none of them.</summary>
    public short PolicyRule;
    /// <summary>A policy that would have refused it, were it not on trial.</summary>
    public int DryRunPolicy;
    /// <summary>Whose its span is, of the table of <see cref="Workloads.SpanSource"/>; 0: nobody's that is a workload.</summary>
    public int Spans;
    /// <summary>A fixed phrase for an answer of the proxy itself: `rate limit`.</summary>
    public int Detail;
    public short Status;
    public short GrpcStatus;
    public ushort ClientPort;
    public ushort LocalPort;
    public byte HttpVersion;
    public byte TryCount;
    /// <summary>Tries before those that are kept.</summary>
    public byte Earlier;
    public bool Tls;
    /// <summary>Of the endpoint's connection.</summary>
    public bool UpstreamTls;
    /// <summary>Is to become spans.</summary>
    public bool Sampled;
    /// <summary>Is to stand in the log.</summary>
    public bool Logged;
    public Tries Tries;

    public void AddTry(in Try one)
    {
        if (TryCount < Tries.Capacity)
        {
            Tries[TryCount++] = one;
            return;
        }

        for (var i = 1; i < Tries.Capacity; i++)
            Tries[i - 1] = Tries[i];
        Tries[Tries.Capacity - 1] = one;
        Earlier = (byte)Math.Min(Earlier + 1, byte.MaxValue);
    }
}

/// <summary>Texts of the client, each cut to a length before it is kept: they are as long as the client likes.</summary>
internal readonly ref struct AccessTexts
{
    public ReadOnlySpan<byte> Method { get; init; }

    public ReadOnlySpan<byte> Authority { get; init; }

    public ReadOnlySpan<byte> Path { get; init; }

    public ReadOnlySpan<byte> UserAgent { get; init; }

    public ReadOnlySpan<byte> ForwardedFor { get; init; }

    public ReadOnlySpan<byte> RequestId { get; init; }

    public ReadOnlySpan<byte> ServerName { get; init; }

    /// <summary>What a text log asked for beside these (<see cref="Text.LogFields"/>).</summary>
    public ReadOnlySpan<byte> Fields { get; init; }
}
