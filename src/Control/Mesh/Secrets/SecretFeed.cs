using System.Text.RegularExpressions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Control.Mesh.Secrets;

/// <summary>Follows the Secrets that are named to it, each by a watch of its own: no other Secret is read.</summary>
/// <param name="changed">Called at each change, on whichever thread.</param>
internal sealed partial class SecretFeed(KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, Action changed) : IAsyncDisposable
{
    // A server that answers at all answers sooner; what is not known by then counts as missing until it is.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Watch> _watches = [];
    private readonly Dictionary<string, IReadOnlySet<string>> _wanted = [];

    private sealed record Watch(Informer<Secret> Informer, CancellationTokenSource Stop, Task Running, IDisposable Subscription);

    /// <summary>Whether there can be such a Secret at all. The text may be anybody's, and becomes part of a selector.</summary>
    public static bool IsName(string secret) => Names().IsMatch(secret);

    /// <summary>From now on these, for one of the readers, and those of the other readers. Ends when they are read. One caller at a time.</summary>
    public async Task FollowAsync(string reader, IReadOnlySet<string> wanted, CancellationToken cancellationToken)
    {
        _wanted[reader] = wanted;
        var names = _wanted.Values.SelectMany(all => all).ToHashSet();
        foreach (var gone in _watches.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _watches.Remove(gone, out var watch);
            await EndAsync(watch!);
        }

        var started = new List<Task>();
        foreach (var name in names.Where(name => IsName(name) && !_watches.ContainsKey(name)))
        {
            var watch = Start(name);
            _watches.Add(name, watch);
            started.Add(watch.Informer.Synced);
        }

        try
        {
            await Task.WhenAll(started).WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Its first list is a change like any other.
        }
    }

    public Secret? Find(string name)
    {
        var slash = name.IndexOf('/');
        return _watches.GetValueOrDefault(name)?.Informer.Cache.Find(new ObjectKey(name[..slash], name[(slash + 1)..]));
    }

    private Watch Start(string name)
    {
        var slash = name.IndexOf('/');
        var informer = new Informer<Secret>(client.For<Secret>(), time, random, onError, name[..slash], $"metadata.name={name[(slash + 1)..]}");
        var stop = new CancellationTokenSource();
        var subscription = informer.Cache.Subscribe(_ => changed());
        return new(informer, stop, informer.RunAsync(stop.Token), subscription);
    }

    private static async Task EndAsync(Watch watch)
    {
        watch.Subscription.Dispose();
        await watch.Stop.CancelAsync();
        await watch.Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        watch.Stop.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches.Values)
            await EndAsync(watch);
        _watches.Clear();
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Names();
}
