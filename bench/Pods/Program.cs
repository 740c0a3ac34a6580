// How long a pod takes from the request that creates it to the watch event that says it runs: a process pod, or one of an image.
//   sudo weft up; dotnet run -c Release --project bench/Pods [--image IMAGE] [KUBECONFIG]
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

const string Namespace = "default";
var time = TimeProvider.System;
var image = args is ["--image", var named, ..] ? named : null;
string[] files = image is null ? args : args[2..];
using var client = Kubeconfig.Load(files.Length > 0 ? files[0] : null, Environment.GetEnvironmentVariable("KUBECONFIG"), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile))
    .Access().Connect(time, "bench");
var pods = client.For<Pod>();
using var stop = new CancellationTokenSource();
var running = new System.Collections.Concurrent.ConcurrentDictionary<string, TaskCompletionSource<long>>();
var gone = new System.Collections.Concurrent.ConcurrentDictionary<string, TaskCompletionSource>();
var first = await pods.ListAsync(Namespace, stop.Token);
var watching = WatchAsync();

await StartAsync("warm-up");
await RemoveAsync(["warm-up"]);
var single = new List<double>();
for (var i = 0; i < 100; i++)
{
    single.Add(await StartAsync($"single-{i}"));
    await RemoveAsync([$"single-{i}"]);
}

Console.WriteLine($"100 pods one after the other: p50 {At(single, 0.5):0} ms, p99 {At(single, 0.99):0} ms, most {single.Max():0} ms");
var begin = time.GetTimestamp();
var together = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => StartAsync($"together-{i}")));
Console.WriteLine($"100 pods at once: all run after {time.GetElapsedTime(begin).TotalMilliseconds:0} ms; p50 {At(together, 0.5):0} ms, p99 {At(together, 0.99):0} ms");
begin = time.GetTimestamp();
await RemoveAsync([.. Enumerable.Range(0, 100).Select(i => $"together-{i}")]);
Console.WriteLine($"100 pods gone after {time.GetElapsedTime(begin).TotalMilliseconds:0} ms");
await stop.CancelAsync();
await watching;

async Task<double> StartAsync(string name)
{
    var runs = running.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
    var start = time.GetTimestamp();
    await pods.CreateAsync(Namespace, new Pod
    {
        Metadata = new() { Name = name },
        Spec = new()
        {
            RuntimeClassName = image is null ? "process" : null,
            TerminationGracePeriodSeconds = 0,
            Containers = [new() { Name = "main", Image = image ?? "host", Command = ["/bin/sleep", "100000"] }],
        },
    }, stop.Token);
    return time.GetElapsedTime(start, await runs.Task.WaitAsync(TimeSpan.FromMinutes(2), time)).TotalMilliseconds;
}

async Task RemoveAsync(IReadOnlyList<string> names)
{
    var ended = names.Select(name => gone.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task).ToList();
    foreach (var name in names)
        await pods.DeleteAsync(new ObjectKey(Namespace, name), stop.Token, new Deletion { GracePeriodSeconds = 0 });
    await Task.WhenAll(ended).WaitAsync(TimeSpan.FromMinutes(2), time);
}

async Task WatchAsync()
{
    try
    {
        await foreach (var change in pods.WatchAsync(Namespace, new WatchOptions { ResourceVersion = first.ResourceVersion }, stop.Token))
        {
            var name = change.Object.Metadata.Name ?? "";
            if (change.Type == WatchEventType.Deleted)
                gone.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            else if (change.Object.Status.Phase == "Running")
                running.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult(time.GetTimestamp());
        }
    }
    catch (OperationCanceledException)
    {
        // done
    }
}

static double At(IEnumerable<double> values, double quantile)
{
    var sorted = values.Order().ToList();
    return sorted[Math.Min(sorted.Count - 1, (int)(quantile * sorted.Count))];
}
