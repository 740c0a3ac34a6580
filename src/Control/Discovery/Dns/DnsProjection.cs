using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Weft.Control.Discovery.Model;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;

namespace Weft.Control.Discovery.Dns;

/// <summary>What is known of a name at one moment.</summary>
/// <param name="Answered">When DNS last answered; null: not yet.</param>
/// <param name="Trouble">Why it does not answer since then; null: it does.</param>
internal sealed record DnsKnowledge(FoundEndpoints? Answer, DateTimeOffset? Answered, string? Trouble)
{
    public static readonly DnsKnowledge Nothing = new(null, null, null);

    public DnsKnowledge With(FoundEndpoints answer, DateTimeOffset now) => new(answer, now, null);

    public DnsKnowledge Without(string reason) => this with { Trouble = reason };
}

/// <summary>From answers to entries of the table. Pure.</summary>
internal static class DnsProjection
{
    private const int MostEntries = 4000;

    /// <summary>
    /// While DNS does not answer, the last good answer is served; beyond the time that it is kept it is shown and takes no traffic. An answer that there is nobody is an answer.
    /// </summary>
    /// <remarks>
    /// Who owns the zone is not who runs the cluster: addresses that would mean each client's own machine are not taken, nor those of the cluster, at which a node's proxy would be asked as the node itself.
    /// </remarks>
    /// <param name="clusterRanges">Of pods and services.</param>
    /// <param name="before">Of the same name: an instance that stays keeps its age.</param>
    public static Projection Of(DnsService service, DnsKnowledge known, Projection? before, DateTimeOffset now, IReadOnlyList<IPNetwork> clusterRanges)
    {
        var isOver = known.Trouble is not null && known.Answered is { } answered && now - answered > service.Keep;
        var status = isOver ? CheckStatus.Critical : CheckStatus.Passing;
        var output = known.Trouble is null ? "answered" : string.Create(CultureInfo.InvariantCulture, $"not answered since {known.Answered:yyyy-MM-ddTHH:mm:ssZ}: {known.Trouble}");
        var since = before?.Entries.ToDictionary(entry => entry.Instance.Id, entry => entry.Instance.Since) ?? [];
        var refused = (known.Answer?.Endpoints ?? []).FirstOrDefault(endpoint => !MayBe(endpoint));
        return new Projection(
            service.Origin,
            [.. (known.Answer?.Endpoints ?? []).Where(MayBe).Take(MostEntries).Select(endpoint => Entry(endpoint)).DistinctBy(entry => entry.Instance.Id).OrderBy(entry => entry.Instance.Priority).ThenBy(entry => entry.Instance.Id, StringComparer.Ordinal)],
            known.Trouble ?? (refused is null ? null : $"answers {refused.Address}, which no name may lead to and is left out"));

        bool MayBe(EndpointConfig endpoint) => IPAddress.TryParse(endpoint.Address, out var address) && AddressClaims.IsAnywhere(address)
            && !clusterRanges.Any(range => AddressClaims.IsWithin(address, range));

        Entry Entry(EndpointConfig endpoint)
        {
            var (id, node) = (string.Create(CultureInfo.InvariantCulture, $"{endpoint.Address}:{endpoint.Port}"), endpoint.HostName ?? service.Question.Name);
            var instance = service.Template with
            {
                Node = node, Id = id, Address = endpoint.Address, Port = endpoint.Port, PassingWeight = endpoint.Weight, Priority = endpoint.Priority, Source = NameSource.Dns,
                Since = since.GetValueOrDefault(id, now), CreateIndex = 1, ModifyIndex = 1,
            };
            return new Entry(
                new() { Name = node, Address = endpoint.Address }, instance,
                [new() { Node = node, Id = $"dns:{id}", Name = "DNS", ServiceId = id, Status = status, Output = output, CriticalSince = isOver ? known.Answered + service.Keep : null, CreateIndex = 1, ModifyIndex = 1 }]);
        }
    }

    /// <summary>Whether anybody would see a difference.</summary>
    public static bool IsSame(Projection? one, Projection other) => one is not null && one.Origin == other.Origin && one.Trouble == other.Trouble && one.Entries.Select(Text).SequenceEqual(other.Entries.Select(Text));

    private static string Text(Entry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Instance.Id} {entry.Node.Name} {entry.Instance.PassingWeight} {entry.Instance.Priority} {entry.Checks[0].Status} {entry.Checks[0].Output}")
        + $" {string.Join(',', entry.Instance.Tags)} {string.Join(',', entry.Instance.Meta)}";
}
