// How long a change takes to the watchers, how many the server serves, and what becomes of other requests meanwhile: writes at a steady rate, many watchers over TLS.
//   sudo weft up; KUBECONFIG=... dotnet run -c Release --project bench/Watches -- own|all [WATCHERS] [WRITES A SECOND] [SECONDS] [PID OF THE SERVER]
// own: each watches one object of its own by field selector, as node agents do. all: each watches everything. With the server's pid, its memory too.
// Whatever the server does, it ends: writing stops after SECONDS, and the watchers have a minute to get the rest or a 410.
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Weft.Bench.Watches;
using Weft.Client;

var mode = args.Length > 0 ? args[0] : "own";
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place], CultureInfo.InvariantCulture) : otherwise;
var (watchers, rate, seconds, server) = (Number(1, 1000), Number(2, 1000), Number(3, 10), Number(4, 0));
const int Objects = 1000;
const string Maps = "api/v1/namespaces/default/configmaps";
var time = TimeProvider.System;
var access = Kubeconfig.Load(null, Environment.GetEnvironmentVariable("KUBECONFIG"), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)).Access();
// Connections of their own, as clients of their own would have: the watchers' must not delay the others'.
using var watching = Connect();
using var writing = Connect();
using var asking = Connect();
var filler = new string('x', 700);

await Parallel.ForAsync(0, Objects, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, token) =>
    await SendAsync(writing, HttpMethod.Post, Maps, $$$"""{"metadata":{"name":"w-{{{i}}}"},"data":{"filler":"{{{filler}}}"}}""", "application/json", token));
var from = Revision(await asking.GetByteArrayAsync(Maps + "?limit=1"));

// No more at once than the server takes without a 429: where it cannot keep the rate, the bench says which one it kept.
using var places = new SemaphoreSlim(100);
using var stop = new CancellationTokenSource();
var seen = Enumerable.Range(0, watchers).Select(_ => new Seen(from, timed: mode == "own" ? 1 : 16)).ToArray();
var reading = new Task[watchers];
for (var i = 0; i < watchers; i++)
{
    var selector = mode == "own" ? $"&fieldSelector=metadata.name%3Dw-{i % Objects}" : "";
    var response = await watching.SendAsync(Request(HttpMethod.Get, $"{Maps}?watch=1&resourceVersion={from}{selector}"), HttpCompletionOption.ResponseHeadersRead);
    response.EnsureSuccessStatusCode();
    reading[i] = ReadAsync(response, seen[i]);
}

var (written, gets) = (new ConcurrentQueue<Written>(), new List<double>());
var probing = ProbeAsync();
var (due, writes, memory) = (0, new List<Task>(), 0L);
var started = time.GetTimestamp();
// A tick each 10 ms starts what is due by then, so that the rate does not depend on how long a write takes. A server that cannot keep the rate is
// behind it for good: the inner loop has to look at the end, too.
using (var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10), time))
{
    while (Elapsed() < seconds && await tick.WaitForNextTickAsync())
    {
        memory = Math.Max(memory, ResidentBytes());
        for (; due < Elapsed() * rate && Elapsed() < seconds; due++)
        {
            await places.WaitAsync();
            writes.Add(WriteAsync(due % Objects));
        }
    }
}

await Task.WhenAll(writes);
var wrote = Elapsed();
var revisions = written.OrderBy(one => one.Revision).ToList();
var ofObject = revisions.GroupBy(one => one.Object).ToDictionary(group => group.Key, group => group.Select(one => one.Revision).ToList());
var everything = revisions.Select(one => one.Revision).ToList();
List<long> Expected(int watcher) => mode != "own" ? everything : ofObject.GetValueOrDefault(watcher % Objects) ?? [];
bool IsBehind(int watcher) => seen[watcher].Ended is null && seen[watcher].Last < (Expected(watcher) is { Count: > 0 } some ? some[^1] : from);
var patience = time.GetTimestamp();
while (Enumerable.Range(0, watchers).Any(IsBehind) && time.GetElapsedTime(patience).TotalSeconds < 60)
{
    memory = Math.Max(memory, ResidentBytes());
    await Task.Delay(TimeSpan.FromMilliseconds(50), time);
}

var all = Elapsed();
var behind = Enumerable.Range(0, watchers).Count(IsBehind);
await stop.CancelAsync();
await Task.WhenAll(reading);
await probing;

var delays = seen.SelectMany(one => one.Delays).Order().ToList();
var latencies = written.Select(one => one.Milliseconds).Order().ToList();
// Revisions rose from event to event, so a watcher that has seen as many as there are up to its last one has seen exactly those.
var holes = Enumerable.Range(0, watchers).Count(i => seen[i].Count != Expected(i).Count(revision => revision <= seen[i].Last));
Print($"{mode}: {watchers} watchers; {due / wrote:0} writes/s, p50 {At(latencies, 0.5):0.0} ms, p99 {At(latencies, 0.99):0.0} ms; {gets.Count} gets beside, p50 {At(gets, 0.5):0.0} ms, p99 {At(gets, 0.99):0.0} ms");
Print($"delivered {seen.Sum(one => (long)one.Count)}, {seen.Sum(one => (long)one.Count) / all:0} a second; p50 {At(delays, 0.5):0.0} ms, p99 {At(delays, 0.99):0.0} ms, most {At(delays, 1):0.0} ms{(server > 0 ? $"; server at most {memory >> 20} MB" : "")}");
Print($"had all {seen.Count(one => one.Ended is null) - behind}, ended with 410 {seen.Count(one => one.Ended == "410")}, otherwise {seen.Count(one => one.Ended is not (null or "410"))} {seen.Select(one => one.Ended).FirstOrDefault(ended => ended is not (null or "410"))}, behind after a minute {behind}; out of order {seen.Count(one => one.Disorder)}, with a hole or a repetition {holes}");
return behind > 0 || holes > 0 || seen.Any(one => one.Disorder || one.Ended is not (null or "410")) ? 1 : 0;

double Elapsed() => time.GetElapsedTime(started).TotalSeconds;
static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)(share * (sorted.Count - 1))];
static long Revision(ReadOnlySpan<byte> json) => Utf8Parser.TryParse(Seen.After(json, "\"resourceVersion\":\""u8), out long revision, out _) ? revision : 0;
static HttpRequestMessage Request(HttpMethod method, string path) => new(method, path) { Version = HttpVersion.Version20 };

HttpClient Connect()
{
    var client = access.CreateHttpClient();
    client.DefaultRequestVersion = HttpVersion.Version20;
    client.Timeout = Timeout.InfiniteTimeSpan;
    return client;
}

long ResidentBytes() => server > 0 && File.Exists($"/proc/{server}/statm")
    ? long.Parse(File.ReadAllText($"/proc/{server}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize : 0;

async Task WriteAsync(int number)
{
    try
    {
        var began = time.GetTimestamp();
        var revision = await SendAsync(writing, HttpMethod.Patch, $"{Maps}/w-{number}", $$$"""{"data":{"sent":"{{{began}}}"}}""", "application/merge-patch+json", CancellationToken.None);
        written.Enqueue(new Written(number, revision, time.GetElapsedTime(began).TotalMilliseconds));
    }
    finally
    {
        places.Release();
    }
}

// What another client meets: a get each 20 ms while there is anything to deliver.
async Task ProbeAsync()
{
    using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20), time);
    while (!stop.IsCancellationRequested)
    {
        var began = time.GetTimestamp();
        await asking.GetByteArrayAsync($"{Maps}/w-0");
        gets.Add(time.GetElapsedTime(began).TotalMilliseconds);
        await tick.WaitForNextTickAsync();
    }

    gets.Sort();
}

static async Task<long> SendAsync(HttpClient http, HttpMethod method, string path, string body, string type, CancellationToken token)
{
    using var message = Request(method, path);
    message.Content = new StringContent(body, Encoding.UTF8, type);
    using var answer = await http.SendAsync(message, token);
    if (answer.StatusCode is not (HttpStatusCode.Conflict or HttpStatusCode.OK or HttpStatusCode.Created))
        throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode}");
    return Revision(await answer.Content.ReadAsByteArrayAsync(token));
}

async Task ReadAsync(HttpResponseMessage response, Seen into)
{
    using (response)
    {
        var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(), new StreamPipeReaderOptions(bufferSize: 16 * 1024));
        try
        {
            while (into.Ended is null)
            {
                var read = await reader.ReadAsync(stop.Token);
                reader.AdvanceTo(into.Note(read.Buffer, time), read.Buffer.End);
                if (read.IsCompleted)
                    into.Ended ??= "without a word";
            }
        }
        catch (OperationCanceledException)
        {
            // the bench is over
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            into.Ended ??= e.Message;
        }
    }
}

namespace Weft.Bench.Watches
{
    internal sealed record Written(int Object, long Revision, double Milliseconds);
}
