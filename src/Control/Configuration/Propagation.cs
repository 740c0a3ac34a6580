namespace Weft.Control.Configuration;

/// <summary>Tells when proxies serve by what they were told.</summary>
public interface IPropagation
{
    /// <summary>Of the configuration as it is now: whoever has just changed something waits for this one.</summary>
    ulong Version { get; }

    /// <param name="proxies">Names; null: all that are connected, also those that come meanwhile. One that is named and not connected goes on with what it knew, and is waited for.</param>
    /// <returns>False: the deadline came first.</returns>
    Task<bool> WaitServedAsync(ulong version, IReadOnlyCollection<string>? proxies, DateTimeOffset deadline, CancellationToken cancellationToken);

    /// <summary>Until no connected proxy waits for an answer of an endpoint that was taken out of use and has one of these addresses.</summary>
    /// <returns>False: the deadline came first.</returns>
    Task<bool> WaitDrainedAsync(IReadOnlyCollection<string> addresses, DateTimeOffset deadline, CancellationToken cancellationToken);
}

/// <summary>By what proxies acknowledge.</summary>
public sealed class Propagation(ConfigHub hub, TimeProvider time) : IPropagation
{
    public ulong Version => hub.Version;

    public Task<bool> WaitServedAsync(ulong version, IReadOnlyCollection<string>? proxies, DateTimeOffset deadline, CancellationToken cancellationToken) => WaitAsync(
        connected => proxies is null
            ? connected.All(proxy => proxy.Version >= version)
            : proxies.All(name => connected.Any(proxy => proxy.Proxy == name && proxy.Version >= version)),
        deadline, cancellationToken);

    public Task<bool> WaitDrainedAsync(IReadOnlyCollection<string> addresses, DateTimeOffset deadline, CancellationToken cancellationToken) =>
        WaitAsync(connected => !connected.Any(proxy => addresses.Any(proxy.Draining.Contains)), deadline, cancellationToken);

    private async Task<bool> WaitAsync(Predicate<IReadOnlyList<ProxyState>> isSo, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (connected, next) = hub.Look();
            if (isSo(connected))
                return true;
            var patience = deadline - time.GetUtcNow();
            if (patience <= TimeSpan.Zero)
                return false;
            try
            {
                await next.WaitAsync(patience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
