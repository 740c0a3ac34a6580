using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Http;

/// <summary>Counts requests and watches, and writes them as Prometheus text under kube-apiserver's names, so that existing dashboards work.</summary>
internal sealed class Metrics(IStore store)
{
    // Buckets of apiserver_request_duration_seconds, thinned to the ones dashboards ask for.
    private static readonly double[] Buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60];

    private readonly ConcurrentDictionary<(string Verb, string Group, string Version, string Resource, string Subresource, int Code), Counter> _requests = new();
    private readonly ConcurrentDictionary<(string Verb, string Group, string Version, string Resource, string Subresource), Histogram> _durations = new();
    private readonly ConcurrentDictionary<(string Group, string Version, string Kind), Counter> _watches = new();
    private readonly ConcurrentDictionary<(string Group, string Version, string Kind), Counter> _expired = new();
    private long _inflight;

    public void Begin() => Interlocked.Increment(ref _inflight);

    /// <summary>Only resources that exist give labels: a client must not be able to make new time series.</summary>
    public void End(RequestInfo info, bool known, int code, TimeSpan duration)
    {
        Interlocked.Decrement(ref _inflight);
        var (verb, resource, subresource) = known ? (info.Verb.ToUpperInvariant(), info.Resource, info.Subresource.Split('/')[0]) : ("OTHER", "", "");
        var (group, version) = known ? (info.Group, info.Version) : ("", "");
        _requests.GetOrAdd((verb, group, version, resource, subresource, code), static _ => new Counter()).Add(1);
        if (verb != "WATCH")
            _durations.GetOrAdd((verb, group, version, resource, subresource), static _ => new Histogram()).Observe(duration.TotalSeconds);
    }

    public IDisposable Watching(ResourceInfo resource)
    {
        var counter = _watches.GetOrAdd((resource.Kind.Group, resource.Kind.Version, resource.Kind.Kind), static _ => new Counter());
        counter.Add(1);
        return new Held(counter);
    }

    public void WatchExpired(ResourceInfo resource) =>
        _expired.GetOrAdd((resource.Kind.Group, resource.Kind.Version, resource.Kind.Kind), static _ => new Counter()).Add(1);

    public string Write()
    {
        var text = new StringBuilder(4096);
        Head(text, "apiserver_request_total", "counter", "Requests by verb, resource and code.");
        foreach (var (key, counter) in _requests)
            text.Append(CultureInfo.InvariantCulture, $"apiserver_request_total{{code=\"{key.Code}\",{Labels(key.Verb, key.Group, key.Version, key.Resource, key.Subresource)}}} {counter.Value}\n");

        Head(text, "apiserver_request_duration_seconds", "histogram", "How long requests took, watches apart.");
        foreach (var (key, histogram) in _durations)
            histogram.Write(text, Labels(key.Verb, key.Group, key.Version, key.Resource, key.Subresource));

        Head(text, "apiserver_longrunning_requests", "gauge", "Watches that are open.");
        foreach (var (key, counter) in _watches)
            text.Append(CultureInfo.InvariantCulture, $"apiserver_longrunning_requests{{verb=\"WATCH\",group=\"{key.Group}\",version=\"{key.Version}\",kind=\"{key.Kind}\"}} {counter.Value}\n");

        Head(text, "apiserver_watch_expired_total", "counter", "Watches ended because the client read too slowly.");
        foreach (var (key, counter) in _expired)
            text.Append(CultureInfo.InvariantCulture, $"apiserver_watch_expired_total{{group=\"{key.Group}\",version=\"{key.Version}\",kind=\"{key.Kind}\"}} {counter.Value}\n");

        Head(text, "apiserver_current_inflight_requests", "gauge", "Requests being served, watches among them.");
        text.Append(CultureInfo.InvariantCulture, $"apiserver_current_inflight_requests {Interlocked.Read(ref _inflight)}\n");
        Head(text, "weft_store_revision", "gauge", "Newest revision of the store.");
        text.Append(CultureInfo.InvariantCulture, $"weft_store_revision {store.Revision}\n");
        Head(text, "weft_store_compacted_revision", "gauge", "Newest revision that can no longer be read.");
        text.Append(CultureInfo.InvariantCulture, $"weft_store_compacted_revision {store.CompactedRevision}\n");
        return text.ToString();
    }

    private static string Labels(string verb, string group, string version, string resource, string subresource) =>
        $"verb=\"{verb}\",group=\"{group}\",version=\"{version}\",resource=\"{resource}\",subresource=\"{subresource}\"";

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private sealed class Counter
    {
        private long _value;
        public long Value => Interlocked.Read(ref _value);
        public void Add(long amount) => Interlocked.Add(ref _value, amount);
    }

    private sealed class Held(Counter counter) : IDisposable
    {
        public void Dispose() => counter.Add(-1);
    }

    private sealed class Histogram
    {
        private readonly long[] _counts = new long[Buckets.Length + 1];
        private long _microseconds;

        public void Observe(double seconds)
        {
            var bucket = Array.FindIndex(Buckets, bound => seconds <= bound);
            Interlocked.Increment(ref _counts[bucket < 0 ? Buckets.Length : bucket]);
            Interlocked.Add(ref _microseconds, (long)(seconds * 1e6));
        }

        public void Write(StringBuilder text, string labels)
        {
            var total = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                total += Interlocked.Read(ref _counts[i]);
                var bound = i < Buckets.Length ? Buckets[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"apiserver_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {total}\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"apiserver_request_duration_seconds_sum{{{labels}}} {Interlocked.Read(ref _microseconds) / 1e6}\n");
            text.Append(CultureInfo.InvariantCulture, $"apiserver_request_duration_seconds_count{{{labels}}} {total}\n");
        }
    }
}
