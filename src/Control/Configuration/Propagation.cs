namespace Weft.Control.Configuration;

/// <summary>Tells when proxies serve by what they were told.</summary>
public interface IPropagation
{
    /// <summary>Of the configuration as it is now: whoever has just changed something waits for this one.</summary>
    ulong Version { get; }

    /// <param name="proxies">Names; null: all that are connected, also those that come meanwhile. One that is named and not connected goes on with what it knew, and is waited for.</param>
    /// <returns>False: the deadline came first.</returns>
    Task<bool> WaitServedAsync(ulong version, IReadOnlyCollection<string>? proxies, DateTimeOffset deadline, CancellationToken cancellationToken);
}

/// <summary>By what proxies acknowledge.</summary>
public sealed class Propagation(ConfigHub hub, TimeProvider time) : IPropagation
{
    public ulong Version => hub.Version;

    public async Task<bool> WaitServedAsync(ulong version, IReadOnlyCollection<string>? proxies, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (connected, next) = hub.Look();
            var served = proxies is null
                ? connected.All(proxy => proxy.Version >= version)
                : proxies.All(name => connected.Any(proxy => proxy.Proxy == name && proxy.Version >= version));
            if (served)
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
