using FsCheck;
using FsCheck.Fluent;
using Weft.Api;
using Weft.Api.Core;
using Weft.Testing;

namespace Weft.Client.Tests;

public class ObjectCacheTests
{
    private readonly ObjectCache<ConfigMap> _cache = new();

    private static ConfigMap Map(string name, int revision, string? uid = null, bool terminating = false) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name, Namespace = "default", Uid = uid ?? name, ResourceVersion = $"{revision}",
            DeletionTimestamp = terminating ? ManualTime.Start : null,
        },
    };

    private static ObjectKey Key(string name) => new("default", name);

    private string Names => string.Join(' ', _cache.All().Select(item => $"{item.Metadata.Name}@{item.Metadata.ResourceVersion}").Order());

    private void Watch(WatchEventType type, ConfigMap map) => _cache.Apply(new WatchEvent<ConfigMap>(type, map));

    [Fact]
    public void An_own_write_is_seen_before_the_watch_brings_it_and_told_once()
    {
        _cache.Replace([], "10");
        var told = 0;
        using var subscription = _cache.Subscribe(_ => told++);

        _cache.Wrote(Map("a", 12));
        Assert.Equal("a@12", Names);
        Watch(WatchEventType.Added, Map("b", 11));
        Watch(WatchEventType.Added, Map("a", 12));
        Assert.Equal("a@12 b@11", Names);
        Assert.Equal(2, told);
    }

    [Fact]
    public void News_older_than_an_own_write_do_not_undo_it()
    {
        _cache.Replace([Map("a", 5)], "10");
        _cache.Wrote(Map("a", 14));
        Watch(WatchEventType.Modified, Map("a", 12));
        Assert.Equal("a@14", Names);
        _cache.Replace([Map("a", 12)], "13");
        Assert.Equal("a@14", Names);
        Watch(WatchEventType.Modified, Map("a", 14));
        Watch(WatchEventType.Modified, Map("a", 15));
        Assert.Equal("a@15", Names);
    }

    [Fact]
    public void An_own_write_that_the_watch_has_passed_is_history()
    {
        _cache.Replace([], "10");
        Watch(WatchEventType.Added, Map("a", 12));
        Watch(WatchEventType.Deleted, Map("a", 13));
        _cache.Wrote(Map("a", 12)); // the answer came late
        Assert.Equal("", Names);
    }

    [Fact]
    public void An_own_removal_hides_the_object_from_late_news_but_not_its_successor()
    {
        _cache.Replace([Map("a", 5)], "10");
        _cache.Removed(Key("a"), "a");
        Watch(WatchEventType.Modified, Map("a", 11));
        Assert.Equal("", Names);
        Watch(WatchEventType.Deleted, Map("a", 12));
        Watch(WatchEventType.Added, Map("a", 13, uid: "second"));
        Assert.Equal("a@13", Names);
        _cache.Removed(Key("a"), "a"); // an old removal, told late
        Assert.Equal("a@13", Names);
    }

    [Fact]
    public void A_store_that_went_back_in_time_is_believed()
    {
        _cache.Replace([Map("a", 900)], "1000");
        _cache.Wrote(Map("b", 1001));
        _cache.Replace([Map("c", 3)], "7");
        Assert.Equal("c@3", Names);
        Watch(WatchEventType.Added, Map("d", 8));
        Assert.Equal("c@3 d@8", Names);
    }

    [Fact]
    public void An_index_follows_every_change()
    {
        var byPrefix = _cache.AddIndex(map => [map.Metadata.Name![..1]]);
        _cache.Replace([Map("a1", 1), Map("a2", 2), Map("b1", 3)], "10");
        Assert.Equal(["a", "b"], byPrefix.Keys.Order());
        Watch(WatchEventType.Deleted, Map("b1", 11));
        Watch(WatchEventType.Modified, Map("a1", 12));
        Assert.Equal(["a"], byPrefix.Keys);
        Assert.Equal(["12", "2"], byPrefix.Find("a").Select(map => map.Metadata.ResourceVersion).Order());
        Assert.Equal(2, _cache.InNamespace("default").Count);
    }

    [Fact]
    public async Task A_subscriber_of_any_moment_can_rebuild_the_cache()
    {
        _cache.Replace([], "0");
        var rebuilt = new List<Dictionary<ObjectKey, ConfigMap>>();
        var subscriptions = new List<IDisposable>();
        var writer = Task.Run(async () =>
        {
            for (var revision = 1; revision <= 3000; revision++)
            {
                var name = "m" + (revision % 17);
                Watch(_cache.Find(Key(name)) is null ? WatchEventType.Added : revision % 3 == 0 ? WatchEventType.Deleted : WatchEventType.Modified, Map(name, revision));
                if (revision % 100 == 0)
                    await Task.Yield();
            }
        });
        for (var i = 0; i < 20; i++)
        {
            var copy = new Dictionary<ObjectKey, ConfigMap>();
            rebuilt.Add(copy);
            subscriptions.Add(_cache.Subscribe(change =>
            {
                var key = new ObjectKey("default", change.Current.Metadata.Name!);
                if (change.New is null)
                    Assert.True(copy.Remove(key));
                else
                    copy[key] = change.New;
            }));
            await Task.Yield();
        }

        await Eventually.EndsAsync(writer);
        var expected = _cache.All().Select(map => map.Metadata.ResourceVersion).Order().ToList();
        foreach (var copy in rebuilt)
            await Eventually.TrueAsync(() => copy.Values.Select(map => map.Metadata.ResourceVersion).Order().SequenceEqual(expected));
        subscriptions.ForEach(subscription => subscription.Dispose());
    }

    /// <summary>A store with a log, a watch that lags behind it at random, and a client that writes: the cache must never lose an own write, nor keep a ghost.</summary>
    [Fact]
    public void Whatever_the_lag_of_the_watch_the_cache_shows_own_writes_and_ends_like_the_store() =>
        Prop.ForAll(
            ArbMap.Default.GeneratorFor<byte>().ListOf().ToArbitrary(),
            script =>
            {
                var cache = new ObjectCache<ConfigMap>();
                var store = new Dictionary<string, ConfigMap>();
                var log = new List<WatchEvent<ConfigMap>>();
                var told = 0;
                var revision = 10;
                var lives = 0;
                cache.Replace([], "10");
                foreach (var action in script)
                {
                    var name = "m" + (action % 3);
                    switch (action / 3 % 6)
                    {
                        case 0: // somebody creates or changes
                        case 1: // the client itself does, and shows it
                            var written = Map(name, ++revision, store.TryGetValue(name, out var old) ? old.Metadata.Uid : $"life{++lives}");
                            log.Add(new WatchEvent<ConfigMap>(store.ContainsKey(name) ? WatchEventType.Modified : WatchEventType.Added, written));
                            store[name] = written;
                            if (action / 3 % 6 == 1)
                            {
                                cache.Wrote(written);
                                Assert.Equal(written, cache.Find(Key(name)));
                            }

                            break;
                        case 2: // somebody removes
                        case 3: // the client removes, and hides it
                            if (store.Remove(name, out var gone))
                            {
                                log.Add(new WatchEvent<ConfigMap>(WatchEventType.Deleted, Map(name, ++revision, gone.Metadata.Uid)));
                                if (action / 3 % 6 == 3)
                                {
                                    cache.Removed(Key(name), gone.Metadata.Uid);
                                    Assert.NotEqual(gone.Metadata.Uid, cache.Find(Key(name))?.Metadata.Uid);
                                }
                            }

                            break;
                        case 4: // the watch delivers one event
                            if (told < log.Count)
                                cache.Apply(log[told++]);
                            break;
                        default: // the watch expired: a new list
                            cache.Replace([.. store.Values], $"{revision}");
                            told = log.Count;
                            break;
                    }
                }

                while (told < log.Count)
                    cache.Apply(log[told++]);
                Assert.Equal(store.Values.Select(map => map.Metadata.ResourceVersion).Order(), cache.All().Select(map => map.Metadata.ResourceVersion).Order());
            }).QuickCheckThrowOnFailure();
}
