// How long a change takes to the watchers, and how many the server serves: writes at a steady rate, many watchers over TLS.
//   sudo weft up; KUBECONFIG=... dotnet run -c Release --project bench/Watches -- own|all [WATCHERS] [WRITES A SECOND] [SECONDS]
// own: each watches one object of its own by field selector, as node agents do. all: each watches everything.
using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Weft.Client;

var mode = args.Length > 0 ? args[0] : "own";
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place], CultureInfo.InvariantCulture) : otherwise;
var (watchers, rate, seconds) = (Number(1, 1000), Number(2, 1000), Number(3, 10));
const int Objects = 1000;
const string Maps = "api/v1/namespaces/default/configmaps";
var time = TimeProvider.System;
using var http = Kubeconfig.Load(null, Environment.GetEnvironmentVariable("KUBECONFIG"), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)).Access().CreateHttpClient();
http.DefaultRequestVersion = HttpVersion.Version20;
http.Timeout = Timeout.InfiniteTimeSpan;
var filler = new string('x', 700);

await Parallel.ForAsync(0, Objects, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, token) =>
    await SendAsync(HttpMethod.Post, Maps, $$$"""{"metadata":{"name":"w-{{{i}}}"},"data":{"filler":"{{{filler}}}"}}""", "application/json", token));
var from = "";
using (var list = await http.GetAsync(Maps + "?limit=1"))
    from = Encoding.UTF8.GetString(Value(await list.Content.ReadAsByteArrayAsync(), "\"resourceVersion\":\""u8));

// No more at once than the server takes without a 429: where it cannot keep the rate, the bench says which one it kept.
using var places = new SemaphoreSlim(100);
using var stop = new CancellationTokenSource();
var seen = Enumerable.Range(0, watchers).Select(_ => new Seen(mode == "own" ? 1 : 16)).ToArray();
var watching = new Task[watchers];
for (var i = 0; i < watchers; i++)
{
    var selector = mode == "own" ? $"&fieldSelector=metadata.name%3Dw-{i % Objects}" : "";
    var response = await http.SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{Maps}?watch=1&resourceVersion={from}{selector}") { Version = HttpVersion.Version20 }, HttpCompletionOption.ResponseHeadersRead);
    response.EnsureSuccessStatusCode();
    watching[i] = ReadAsync(response, seen[i]);
}

// A tick each 10 ms starts what is due by then, so that the rate does not depend on how long a write takes.
var (due, writes) = (0, new List<Task>());
var started = time.GetTimestamp();
using (var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10), time))
{
    while (time.GetElapsedTime(started).TotalSeconds < seconds && await tick.WaitForNextTickAsync())
    {
        for (; due < time.GetElapsedTime(started).TotalSeconds * rate; due++)
        {
            await places.WaitAsync();
            writes.Add(WriteAsync(due % Objects));
        }
    }
}

await Task.WhenAll(writes);
var wrote = time.GetElapsedTime(started);
var perWatcher = mode == "own" ? due / Objects : due;
var patience = time.GetTimestamp();
while (seen.Any(one => one.Ended is null && one.Count < perWatcher) && time.GetElapsedTime(patience).TotalSeconds < 60)
    await Task.Delay(TimeSpan.FromMilliseconds(50), time);
var all = time.GetElapsedTime(started);
await stop.CancelAsync();
await Task.WhenAll(watching);

var delays = seen.SelectMany(one => one.Delays).Order().ToList();
double At(double share) => delays.Count == 0 ? 0 : delays[(int)(share * (delays.Count - 1))];
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{mode}: {watchers} watchers, {due / wrote.TotalSeconds:0} writes/s, {seen.Sum(one => (long)one.Count) / all.TotalSeconds:0} deliveries/s; delivery p50 {At(0.5):0.0} ms, p99 {At(0.99):0.0} ms, most {At(1):0.0} ms; ended with 410: {seen.Count(one => one.Ended == "410")}, out of order: {seen.Count(one => one.Disorder)}, behind after a minute: {seen.Count(one => one.Ended is null && one.Count < perWatcher)}"));
return seen.Any(one => one.Disorder) ? 1 : 0;

async Task WriteAsync(int number)
{
    try
    {
        await SendAsync(HttpMethod.Patch, $"{Maps}/w-{number}", $$$"""{"data":{"sent":"{{{time.GetTimestamp()}}}"}}""", "application/merge-patch+json", CancellationToken.None);
    }
    finally
    {
        places.Release();
    }
}

async Task SendAsync(HttpMethod method, string path, string body, string type, CancellationToken token)
{
    using var message = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, Content = new StringContent(body, Encoding.UTF8, type) };
    using var answer = await http.SendAsync(message, token);
    if (answer.StatusCode is not (HttpStatusCode.Conflict or HttpStatusCode.OK or HttpStatusCode.Created))
        throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode}");
}

async Task ReadAsync(HttpResponseMessage response, Seen into)
{
    using (response)
    {
        var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync());
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(stop.Token);
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    var line = rest.Slice(0, end);
                    into.Note(line.IsSingleSegment ? line.FirstSpan : line.ToArray(), time);
                    rest = rest.Slice(rest.GetPosition(1, end));
                }

                reader.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // the bench is over
        }
    }
}

static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> json, ReadOnlySpan<byte> head)
{
    var at = json.IndexOf(head);
    if (at < 0)
        return [];
    var value = json[(at + head.Length)..];
    return value[..value.IndexOf((byte)'"')];
}

/// <summary>What one watcher was shown.</summary>
/// <param name="timed">Of so many deliveries one is timed: a list of all would be the bench's own load.</param>
internal sealed class Seen(int timed)
{
    private long _last;

    public int Count { get; private set; }
    public bool Disorder { get; private set; }
    public string? Ended { get; private set; }
    public List<double> Delays { get; } = [];

    public void Note(ReadOnlySpan<byte> line, TimeProvider time)
    {
        if (line.StartsWith("{\"type\":\"ERROR\""u8))
        {
            Ended = line.IndexOf("\"code\":410"u8) >= 0 ? "410" : Encoding.UTF8.GetString(line);
            return;
        }

        Utf8Parser.TryParse(After(line, "\"resourceVersion\":\""u8), out long revision, out _);
        Disorder |= revision <= _last;
        _last = revision;
        if (Count++ % timed == 0 && Utf8Parser.TryParse(After(line, "\"sent\":\""u8), out long sent, out _))
            Delays.Add(time.GetElapsedTime(sent).TotalMilliseconds);
    }

    private static ReadOnlySpan<byte> After(ReadOnlySpan<byte> line, ReadOnlySpan<byte> head) => line.IndexOf(head) is >= 0 and var at ? line[(at + head.Length)..] : [];
}
