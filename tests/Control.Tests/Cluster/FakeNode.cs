using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

/// <summary>
/// What scheduler and node agent do, without running anything: binds pods to one node, marks them Running and Ready unless their image says
/// "broken", and ends them when they are deleted.
/// </summary>
internal sealed class FakeNode : IAsyncDisposable
{
    public const string Name = "fake";

    private readonly CancellationTokenSource _stop = new();
    private readonly KubeClient _client;
    private readonly Informer<Pod> _pods;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly Task _running;
    private int _address = 1;

    private FakeNode(KubeClient client)
    {
        _client = client;
        _pods = new Informer<Pod>(client.For<Pod>(), TimeProvider.System, Seeded.Random(3), static (_, _) => { });
        _queue = new WorkQueue<ObjectKey>(TimeProvider.System, Seeded.Random(4));
        _pods.Cache.Subscribe(change => _queue.Add(change.Current.Key()));
        _running = Task.WhenAll(_pods.RunAsync(_stop.Token), WorkAsync(), WorkAsync());
    }

    public static async Task<FakeNode> StartAsync(TestCluster cluster)
    {
        await cluster.Client.For<Node>().CreateAsync(null, new Node { Metadata = new ObjectMeta { Name = Name } }, CancellationToken.None);
        var status = new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True", ["reason"] = "KubeletReady", ["lastTransitionTime"] = "2026-01-02T03:04:05Z" }),
            },
        };
        await cluster.Client.For<Node>().PatchStatusAsync(new ObjectKey("", Name), Patch.Merge(status), CancellationToken.None);
        return new FakeNode(cluster.Client);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.EndsAsync(_running);
        _queue.Dispose();
        _stop.Dispose();
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            ObjectKey key;
            try
            {
                key = await _queue.TakeAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                if (_pods.Cache.Find(key) is { } pod)
                    await StepAsync(pod);
            }
            catch (ApiStatusException)
            {
                _queue.AddBackedOff(key); // somebody was faster
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                _queue.Done(key);
            }
        }
    }

    private async Task StepAsync(Pod pod)
    {
        var pods = _client.For<Pod>();
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            await pods.DeleteIfThereAsync(pod.Key(), _stop.Token, new Deletion { GracePeriodSeconds = 0, Uid = pod.Metadata.Uid });
        }
        else if (string.IsNullOrEmpty(pod.Spec.NodeName))
        {
            var binding = new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = pod.Metadata.Name },
                ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = Name },
            };
            await pods.PostAsync(pod.Key(), "binding", binding, _stop.Token);
        }
        else if (pod.Status.Phase != "Running")
        {
            var ready = !pod.Spec.Containers[0].Image!.Contains("broken", StringComparison.Ordinal);
            var number = Interlocked.Increment(ref _address);
            var address = string.Create(CultureInfo.InvariantCulture, $"10.0.{number / 250}.{(number % 250) + 1}");
            var status = new JsonObject
            {
                ["phase"] = "Running",
                ["podIP"] = address,
                ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address }),
                ["conditions"] = new JsonArray(new JsonObject
                {
                    ["type"] = "Ready", ["status"] = ready ? "True" : "False",
                    ["lastTransitionTime"] = TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                }),
            };
            await pods.PatchStatusAsync(pod.Key(), Patch.Merge(new JsonObject { ["status"] = status }), _stop.Token);
        }
    }
}
