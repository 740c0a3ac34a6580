using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>Makes the services, and changes their endpoints at a steady rate, server or no server: what could not be written is written as soon as it can be.</summary>
internal sealed class ChangingServices(KubeClient client, string ns, Population population, Absences absences, Figures figures)
{
    internal const int Port = 8080;

    // A write waits for the disk: several are under way at once. A divisor of the number of services: each has one writer.
    private const int Writers = 25;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _time = client.Time;

    internal ServiceHistory[] Histories { get; } = [.. Enumerable.Range(0, population.Services).Select(_ => new ServiceHistory(absences, client.Time))];

    /// <summary>Address of each service that has one.</summary>
    internal ConcurrentDictionary<int, string> Addresses { get; } = [];

    internal Task CreateAsync(CancellationToken cancellationToken) =>
        Parallel.ForAsync(0, population.Services, new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = cancellationToken }, async (service, token) => await CreateAsync(service, token));

    private async Task CreateAsync(int service, CancellationToken cancellationToken)
    {
        var name = population.Name(service);
        var created = await client.For<Service>().CreateAsync(ns, new Service
        {
            Metadata = new() { Name = name },
            Spec = new() { ClusterIP = population.IsHeadless(service) ? "None" : null, Ports = [new() { Name = "main", Port = Port }] },
        }, cancellationToken);
        if (created.Spec.ClusterIP is { } address and not "None")
            Addresses[service] = address;
        await client.For<EndpointSlice>().CreateAsync(ns, new EndpointSlice
        {
            Metadata = new() { Name = name, Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = name } },
            AddressType = "IPv4",
            Ports = [new() { Name = "main", Protocol = "TCP", Port = Port }],
            Endpoints = [.. population.Changing(service, 0).Concat(population.Staying(service)).Select(endpoint => new Endpoint { Addresses = [endpoint] })],
        }, cancellationToken);
        Histories[service].Acknowledged();
    }

    /// <summary>Ends when it is told to and everything sent has been acknowledged.</summary>
    internal Task ChangeAsync(int perSecond, CancellationToken stopping) => Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(writer, perSecond, stopping)));

    private async Task WriteAsync(int writer, int perSecond, CancellationToken stopping)
    {
        var from = _time.GetTimestamp();
        for (var count = 0; ; count++)
        {
            var due = TimeSpan.FromSeconds((double)count * Writers / perSecond) - _time.GetElapsedTime(from);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            await WriteNextAsync(writer + count * Writers % population.Services);
        }
    }

    private async Task WriteNextAsync(int service)
    {
        var version = Histories[service].Last + 1;
        Histories[service].Sending(version);
        var patch = Patch.Json([.. population.Changing(service, version).Select((address, i) => new JsonObject { ["op"] = "replace", ["path"] = $"/endpoints/{i}/addresses/0", ["value"] = address })]);
        var from = _time.GetTimestamp();
        while (true)
        {
            try
            {
                await client.For<EndpointSlice>().PatchAsync(new ObjectKey(ns, population.Name(service)), patch, CancellationToken.None);
                Histories[service].Acknowledged();
                figures.Write(_time.GetElapsedTime(from));
                return;
            }
            catch (ApiStatusException refused) when (refused.Code is not (429 or 500 or 503 or 504))
            {
                figures.Wrong.Add($"a write was refused: {refused.Code} {refused.Message}");
            }
            catch (Exception away) when (away is HttpRequestException or IOException or TimeoutException or ApiStatusException)
            {
                // Whether it was written is not known; the same once more does no harm.
            }

            await Task.Delay(RetryAfter, _time);
        }
    }
}
