using System.Collections.Immutable;

namespace Weft.Proxy.Config.Wire;

/// <summary>What goes over a configuration stream. Each message is one binary WebSocket message.</summary>
public abstract record WireMessage;

/// <summary>Proxy to server, first: what it has. A long list comes in several messages.</summary>
/// <param name="Epoch">Of the server that it heard last; 0: none.</param>
public sealed record Hello(ushort WireVersion, ulong Epoch, ImmutableArray<UnitState> Units, bool More) : WireMessage;

public readonly record struct UnitState(UnitKey Key, UnitHash Hash);

/// <summary>Server to proxy: what is different now. The proxy applies it with the last of its messages, as one step.</summary>
/// <param name="Epoch">Of the server's run: versions of another run do not compare.</param>
/// <param name="Version">State of the configuration that the proxy has afterwards.</param>
/// <param name="More">Further messages belong to the same step.</param>
public sealed record Delta(ulong Epoch, ulong Version, ImmutableArray<ConfigUnit> Upserts, ImmutableArray<UnitKey> Removes, bool More) : WireMessage;

/// <summary>Proxy to server: the version is in use, except for what is listed, of which the old state stays in use.</summary>
public sealed record Ack(ulong Version, ImmutableArray<Rejection> Rejected) : WireMessage;

/// <summary>
/// Proxy to server, at any time after Hello: endpoints that were taken out of use and still answer requests that were sent to them before. All of them each time; before the acknowledgement of the
/// step that took them out, and again when it is fewer.
/// </summary>
/// <param name="Addresses">Without ports.</param>
public sealed record Draining(ImmutableArray<string> Addresses) : WireMessage;

/// <param name="Path">Where in the unit.</param>
public sealed record Rejection(UnitKey Key, string Path, string Error);

public static class WireLimits
{
    /// <summary>Spoken by this program. A server refuses a proxy that speaks none of its versions.</summary>
    public const ushort Version = 2;

    /// <summary>Understood by a server: a proxy of version 1 does not say what drains.</summary>
    public const ushort OldestVersion = 1;

    /// <summary>Above the largest unit, and small enough that a proxy holds two of them without notice.</summary>
    public const int MaxMessageBytes = 2 * 1024 * 1024;

    /// <summary>Messages are filled up to here; then the next one begins.</summary>
    public const int TargetMessageBytes = 256 * 1024;

    /// <summary>A slice of 1000 endpoints with two addresses each is about 150 KB.</summary>
    public const int MaxUnitBytes = 1024 * 1024;

    /// <summary>The longest is a cluster's: host (253), port, subset and namespace (63 each).</summary>
    public const int MaxKeyBytes = 400;
    public const int MaxTextBytes = 1024;

    /// <summary>Of one proxy: some 100 times the largest cluster that Kubernetes promises to run on one set of names.</summary>
    public const int MaxUnits = 1_000_000;
    public const int MaxRejections = 1000;

    /// <summary>More than pods end on a cluster at once; of the others nobody waits for the requests.</summary>
    public const int MaxDraining = 10_000;

    /// <summary>An IPv6 address with a zone's name.</summary>
    public const int MaxAddressBytes = 64;
}

/// <summary>Bytes that are no message; the stream ends.</summary>
public sealed class WireException(string message) : Exception(message);
