using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;

namespace Weft.Control.Discovery.Dns;

/// <summary>
/// Keeps the table as DNS has the services that the services file names. Each is asked for when its answer's time is over. One that fails is tried again, sooner at first, and what was known before stays.
/// </summary>
/// <param name="resolver">Gives for a question who asks it, again and again; he throws <see cref="NotResolvedException"/>.</param>
/// <param name="clusterRanges">Of pods and services: no foreign name leads there.</param>
/// <param name="random">Spreads tries of many services that fail together.</param>
public sealed partial class DnsServices(ServiceRegistry registry, Func<DnsDiscovery, Func<CancellationToken, Task<FoundEndpoints>>> resolver, IReadOnlyList<IPNetwork> clusterRanges, TimeProvider time, Random random, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LastRetry = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, Followed> _followed = new(StringComparer.OrdinalIgnoreCase);

    private sealed record Followed(DnsService Service, Memory Memory, CancellationTokenSource Stop, Task Running);

    /// <summary>Outlives a change of the file around the same question.</summary>
    private sealed class Memory
    {
        public DnsKnowledge Known { get; set; } = DnsKnowledge.Nothing;

        public Projection? Shown { get; set; }
    }

    /// <summary>These from now on, and no others. One that did not change is not asked for again. One caller at a time.</summary>
    public async Task FollowAsync(ImmutableSortedDictionary<string, DnsService> services, CancellationToken cancellationToken)
    {
        var gone = _followed.Where(pair => !services.TryGetValue(pair.Key, out var service) || !service.IsSame(pair.Value.Service)).Select(pair => pair.Key).ToList();
        var memories = new Dictionary<string, Memory>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in gone)
        {
            if (services.TryGetValue(name, out var next) && next.Question == _followed[name].Service.Question)
                memories[name] = _followed[name].Memory;
            await StopAsync(name);
        }

        var left = registry.Current.Names.Values.Where(group => group.Dns is not null && !services.ContainsKey(group.Name)).Select(group => group.Name).ToList();
        if (left.Count > 0)
        {
            await registry.ChangeAsync(
                draft =>
                {
                    foreach (var name in left)
                        draft.Project(NameSource.Dns, name, null);
                    return 0;
                }, cancellationToken);
        }

        foreach (var (name, service) in services.Where(pair => !_followed.ContainsKey(pair.Key)))
        {
            var (stop, memory) = (new CancellationTokenSource(), memories.GetValueOrDefault(name) ?? new Memory());
            _followed[name] = new Followed(service, memory, stop, RunAsync(name, service, memory, stop.Token));
        }
    }

    private async Task RunAsync(string name, DnsService service, Memory memory, CancellationToken stopping)
    {
        var (ask, retry) = (resolver(service.Question), FirstRetry);
        try
        {
            while (true)
            {
                var wait = retry;
                try
                {
                    var answer = await ask(stopping);
                    if (memory.Known.Trouble is not null)
                        Log.Answered(logger, name);
                    (memory.Known, wait, retry) = (memory.Known.With(answer, time.GetUtcNow()), answer.Life, FirstRetry);
                }
                catch (NotResolvedException failed)
                {
                    if (memory.Known.Trouble is null)
                        Log.Failed(logger, name, service.Question.Name, failed.Message);
                    memory.Known = memory.Known.Without(failed.Message);
                    wait *= 0.75 + (random.NextDouble() / 2);
                    retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
                }

                var next = DnsProjection.Of(service, memory.Known, memory.Shown, time.GetUtcNow(), clusterRanges);
                if (!DnsProjection.IsSame(memory.Shown, next) && await TryShowAsync(name, next, stopping))
                    memory.Shown = next;
                await Task.Delay(wait, time, stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // no longer followed
        }
    }

    private async Task<bool> TryShowAsync(string name, Projection projection, CancellationToken cancellationToken)
    {
        try
        {
            await registry.ChangeAsync(draft => { draft.Project(NameSource.Dns, name, projection); return 0; }, cancellationToken);
            return true;
        }
        catch (Exception failed) when (failed is RegistryException or RegistryStoreException)
        {
            // With the next answer.
            Log.NotShown(logger, name, failed.Message);
            return false;
        }
    }

    private async Task StopAsync(string name)
    {
        _followed.Remove(name, out var followed);
        await followed!.Stop.CancelAsync();
        await followed.Running;
        followed.Stop.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _followed.Keys.ToList())
            await StopAsync(name);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "service {Name}: DNS has no answer for {Question}, what was known before stays: {Reason}")]
        public static partial void Failed(ILogger logger, string name, string question, string reason);

        [LoggerMessage(LogLevel.Information, "service {Name}: DNS answers again")]
        public static partial void Answered(ILogger logger, string name);

        [LoggerMessage(LogLevel.Error, "service {Name}: the table of names does not follow DNS: {Reason}")]
        public static partial void NotShown(ILogger logger, string name, string reason);
    }
}
