namespace Weft.Proxy.Dns.Server;

/// <summary>What the server has done since it started.</summary>
public sealed class DnsCounters
{
    private long _fromZone, _fromCache, _forwarded, _failed, _refused, _dropped;

    public long FromZone => Interlocked.Read(ref _fromZone);
    public long FromCache => Interlocked.Read(ref _fromCache);
    public long Forwarded => Interlocked.Read(ref _forwarded);
    public long Failed => Interlocked.Read(ref _failed);
    public long Refused => Interlocked.Read(ref _refused);
    public long Dropped => Interlocked.Read(ref _dropped);

    internal void CountZone() => Interlocked.Increment(ref _fromZone);

    internal void CountCache() => Interlocked.Increment(ref _fromCache);

    internal void CountForwarded() => Interlocked.Increment(ref _forwarded);

    internal void CountFailed() => Interlocked.Increment(ref _failed);

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    internal void CountDropped() => Interlocked.Increment(ref _dropped);
}
