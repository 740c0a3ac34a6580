using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Discovery;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

/// <summary>Endpoints with the same ports and address family: what can share slices.</summary>
internal sealed record SliceGroup(string AddressType, ImmutableArray<EndpointPort> Ports, IReadOnlyList<Endpoint> Endpoints);

/// <summary>What all slices of one service carry.</summary>
internal sealed record SliceFrame(string NamePrefix, IReadOnlyDictionary<string, string> Labels, OwnerReference Owner);

public abstract record SliceStep
{
    public sealed record Create(EndpointSlice Slice) : SliceStep;

    public sealed record Update(EndpointSlice Old, EndpointSlice New) : SliceStep;

    public sealed record Delete(EndpointSlice Slice) : SliceStep;
}

/// <summary>
/// Spreads endpoints over slices of at most 100, moving as few as possible: an endpoint stays in its slice, new ones fill the gaps, a slice
/// that became empty goes. One change of one pod is then one write of one slice.
/// </summary>
internal static class SlicePlanner
{
    // kube-controller-manager's --max-endpoints-per-slice.
    public const int MaxEndpoints = 100;

    public static ImmutableArray<SliceStep> Plan(SliceFrame frame, IReadOnlyList<SliceGroup> groups, IReadOnlyList<EndpointSlice> existing)
    {
        var steps = ImmutableArray.CreateBuilder<SliceStep>();
        var left = existing.Where(slice => !slice.IsTerminating()).OrderBy(slice => slice.Metadata.Name, StringComparer.Ordinal).ToList();
        foreach (var group in groups)
        {
            var slices = left.Where(slice => slice.AddressType == group.AddressType && SamePorts(slice.Ports, group.Ports)).ToList();
            left.RemoveAll(slices.Contains);
            Fill(frame, group, slices, steps);
        }

        steps.AddRange(left.Select(slice => new SliceStep.Delete(slice)));
        return steps.ToImmutable();
    }

    private static void Fill(SliceFrame frame, SliceGroup group, List<EndpointSlice> slices, ImmutableArray<SliceStep>.Builder steps)
    {
        var wanted = group.Endpoints.GroupBy(IdentityOf).ToDictionary(same => same.Key, same => same.First());
        var contents = new List<(EndpointSlice Slice, List<Endpoint> Endpoints)>();
        foreach (var slice in slices)
        {
            var kept = new List<Endpoint>();
            foreach (var endpoint in slice.Endpoints)
            {
                if (kept.Count < MaxEndpoints && wanted.Remove(IdentityOf(endpoint), out var now))
                    kept.Add(now);
            }

            contents.Add((slice, kept));
        }

        var added = new Queue<Endpoint>(wanted.Values);
        // The fullest slice that has room first: few full slices are better than many half empty ones.
        foreach (var (_, endpoints) in contents.Where(content => content.Endpoints.Count > 0).OrderByDescending(content => content.Endpoints.Count))
        {
            while (endpoints.Count < MaxEndpoints && added.TryDequeue(out var endpoint))
                endpoints.Add(endpoint);
        }

        var empty = contents.Where(content => content.Endpoints.Count == 0).ToList();
        foreach (var (_, endpoints) in empty)
        {
            while (endpoints.Count < MaxEndpoints && added.TryDequeue(out var endpoint))
                endpoints.Add(endpoint);
        }

        var hasSlice = false;
        foreach (var (slice, endpoints) in contents)
        {
            // A service without endpoints keeps one empty slice: it says "none" where no slice would say "not known yet".
            if (endpoints.Count == 0 && (hasSlice || wanted.Count > 0 || contents.Exists(content => content.Endpoints.Count > 0)))
            {
                steps.Add(new SliceStep.Delete(slice));
                continue;
            }

            hasSlice = true;
            var updated = Dress(frame, slice with { Endpoints = endpoints, Ports = group.Ports });
            if (!updated.SameAs(slice))
                steps.Add(new SliceStep.Update(slice, updated));
        }

        while (added.Count > 0 || !hasSlice)
        {
            hasSlice = true;
            var endpoints = new List<Endpoint>();
            while (endpoints.Count < MaxEndpoints && added.TryDequeue(out var endpoint))
                endpoints.Add(endpoint);
            steps.Add(new SliceStep.Create(Dress(frame, new EndpointSlice
            {
                Metadata = new ObjectMeta { GenerateName = frame.NamePrefix + "-" },
                AddressType = group.AddressType, Ports = group.Ports, Endpoints = endpoints,
            })));
        }
    }

    private static EndpointSlice Dress(SliceFrame frame, EndpointSlice slice) => slice with
    {
        Metadata = slice.Metadata with
        {
            Labels = frame.Labels,
            OwnerReferences = slice.Metadata.OwnerReferences.Any(owner => owner.Uid == frame.Owner.Uid) ? slice.Metadata.OwnerReferences : [frame.Owner],
        },
    };

    private static string IdentityOf(Endpoint endpoint) => endpoint.TargetRef?.Uid + "/" + string.Join(',', endpoint.Addresses);

    private static bool SamePorts(IReadOnlyList<EndpointPort> left, IReadOnlyList<EndpointPort> right) =>
        left.Count == right.Count && left.OrderBy(Text, StringComparer.Ordinal).SequenceEqual(right.OrderBy(Text, StringComparer.Ordinal));

    private static string Text(EndpointPort port) => $"{port.Name}/{port.Port}/{port.Protocol}/{port.AppProtocol}";
}
