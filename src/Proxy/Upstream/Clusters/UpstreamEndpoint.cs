using System.Net;
using System.Runtime.InteropServices;
using Weft.Balancing;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>
/// An endpoint for as long as it is in its cluster, whatever else of the configuration changes: what loops count of it and what is known of its health stay with it.
/// </summary>
internal sealed class UpstreamEndpoint
{
    private readonly Padded[] _counts;
    private int _connections;

    public UpstreamEndpoint(EndpointConfig config, IPEndPoint address, int loops, long now)
    {
        (Config, Address, Key) = (config, address, address.ToString());
        _counts = new Padded[loops];
        State.Since = now;
    }

    /// <summary>`10.244.0.7:8080`.</summary>
    public string Key { get; }

    public IPEndPoint Address { get; }

    public EndpointConfig Config { get; set; }

    /// <summary>Its key in the table of texts; 0: not given yet.</summary>
    public int Number { get; set; }

    /// <summary>Its labels in the table of destinations; 0: not given yet. As <see cref="Number"/>.</summary>
    public int Destination { get; set; }

    /// <summary>For requests whose host is to be the endpoint's own.</summary>
    public byte[] HostBytes => System.Text.Encoding.ASCII.GetBytes(Config.HostName ?? Key);

    /// <summary>Shared by all loops: what balancing asks.</summary>
    public EndpointState State { get; } = new();

    /// <summary>That were sent and are not answered: what is active, without connections that carry bytes of their own.</summary>
    /// <remarks>Too many for a moment while a connection begins or ends, never too few: that is why connections are read last and end first.</remarks>
    public int Unanswered => State.Active - Volatile.Read(ref _connections);

    /// <summary>A connection of TCP has begun; called after it has become active.</summary>
    public void Connected() => Interlocked.Increment(ref _connections);

    /// <summary>Before it ends to be active.</summary>
    public void Disconnected() => Interlocked.Decrement(ref _connections);

    /// <summary>What active checks say; null: none has answered, or there are none. Written by the cluster's maintenance.</summary>
    public bool? Checked { get; set; }

    /// <summary>One more attempt went well; called by the loop of this number, so without an interlocked operation.</summary>
    public void CountGood(int loop) => _counts[loop].Good++;

    /// <summary>Attempts of all loops that went well so far.</summary>
    public long Good
    {
        get
        {
            long sum = 0;
            for (var i = 0; i < _counts.Length; i++)
                sum += Volatile.Read(ref _counts[i].Good);
            return sum;
        }
    }

    /// <summary>One more request that it was sent has ended; called by the loop of this number.</summary>
    public void CountRequest(int loop) => _counts[loop].Requests++;

    /// <summary>Requests of all loops so far.</summary>
    public long Requests
    {
        get
        {
            long sum = 0;
            for (var i = 0; i < _counts.Length; i++)
                sum += Volatile.Read(ref _counts[i].Requests);
            return sum;
        }
    }

    // Two cache lines apart: processors fetch lines in pairs.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Padded
    {
        [FieldOffset(0)] public long Good;
        [FieldOffset(8)] public long Requests;
    }
}
