using System.Collections.Concurrent;
using Weft.Api;
using Weft.Client;

namespace Weft.Node.Volumes;

/// <summary>
/// One watch for each ConfigMap or Secret that a pod of this node refers to, as the kubelet does: a node needs (and may see) only those.
/// A watch ends when the last pod that refers to it is gone.
/// </summary>
internal sealed class ObjectWatches<T>(KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, Action<ObjectKey> onChange) : IAsyncDisposable
    where T : class, IObject
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, Entry> _entries = [];

    private sealed record Entry(Informer<T> Informer, CancellationTokenSource Stop, Task Running, HashSet<string> Users);

    /// <summary>The names that one user (a pod uid) refers to, from now on.</summary>
    public void Set(string user, string @namespace, IReadOnlySet<string> names)
    {
        List<Entry> ended = [];
        lock (_gate)
        {
            foreach (var (key, entry) in _entries)
            {
                if (entry.Users.Contains(user) && (key.Namespace != @namespace || !names.Contains(key.Name)) && entry.Users.Remove(user) && entry.Users.Count == 0)
                {
                    _entries.Remove(key);
                    ended.Add(entry);
                }
            }

            foreach (var name in names)
            {
                var key = new ObjectKey(@namespace, name);
                if (!_entries.TryGetValue(key, out var entry))
                    _entries[key] = entry = Start(key);
                entry.Users.Add(user);
            }
        }
        foreach (var entry in ended)
            entry.Stop.Cancel();
    }

    /// <summary>The objects by name as of now, null for what does not exist. Waits for the first answer about each.</summary>
    public async Task<IReadOnlyDictionary<string, T?>> GetAsync(string @namespace, IReadOnlySet<string> names, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, T?>();
        foreach (var name in names)
        {
            Informer<T>? informer;
            lock (_gate)
                informer = _entries.GetValueOrDefault(new ObjectKey(@namespace, name))?.Informer;
            if (informer is null)
                continue;
            await informer.Synced.WaitAsync(cancellationToken);
            found[name] = informer.Cache.Find(new ObjectKey(@namespace, name));
        }
        return found;
    }

    private Entry Start(ObjectKey key)
    {
        var informer = new Informer<T>(client.For<T>(), time, random, onError, key.Namespace, "metadata.name=" + key.Name);
        informer.Cache.Subscribe(_ => onChange(key));
        var stop = new CancellationTokenSource();
        return new Entry(informer, stop, informer.RunAsync(stop.Token), []);
    }

    public async ValueTask DisposeAsync()
    {
        List<Entry> all;
        lock (_gate)
        {
            all = [.. _entries.Values];
            _entries.Clear();
        }
        foreach (var entry in all)
            await entry.Stop.CancelAsync();
        await Task.WhenAll(all.Select(e => e.Running));
    }
}
