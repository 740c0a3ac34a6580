using System.Collections.Immutable;
using System.Globalization;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Quotas;

namespace Weft.ApiServer.Quotas;

/// <summary>What limit ranges give to containers that say nothing, and what they refuse. Pure. The messages are Kubernetes'.</summary>
internal static class LimitRangeRules
{
    public const string Container = "Container", Pod = "Pod", Claim = "PersistentVolumeClaim";

    /// <summary>Limits and requests for containers that name none.</summary>
    public static (IReadOnlyDictionary<string, Quantity> Limits, IReadOnlyDictionary<string, Quantity> Requests) Defaults(LimitRange range)
    {
        var (limits, requests) = (new Dictionary<string, Quantity>(), new Dictionary<string, Quantity>());
        foreach (var item in range.Spec.Limits.Where(item => item.Type == Container))
        {
            foreach (var (name, amount) in item.Default)
                limits[name] = amount;
            foreach (var (name, amount) in item.DefaultRequest)
                requests[name] = amount;
        }
        return (limits, requests);
    }

    /// <summary>All that is wrong with a new pod.</summary>
    public static IEnumerable<string> OfPod(LimitRange range, PodSpec spec)
    {
        foreach (var item in range.Spec.Limits)
        {
            if (item.Type == Container)
            {
                foreach (var container in spec.Containers.Concat(spec.InitContainers))
                {
                    foreach (var wrong in Check(item, container.Resources?.Requests ?? ImmutableDictionary<string, Quantity>.Empty, container.Resources?.Limits ?? ImmutableDictionary<string, Quantity>.Empty))
                        yield return wrong;
                }
            }
            else if (item.Type == Pod)
            {
                foreach (var wrong in Check(item, PodAmounts.Requests(spec), PodAmounts.Limits(spec)))
                    yield return wrong;
            }
        }
    }

    /// <summary>All that is wrong with a claim's size.</summary>
    public static IEnumerable<string> OfClaim(LimitRange range, IReadOnlyDictionary<string, Quantity> requests)
    {
        foreach (var item in range.Spec.Limits.Where(item => item.Type == Claim))
        {
            foreach (var wrong in Least(item, requests, ImmutableDictionary<string, Quantity>.Empty))
                yield return wrong;
            foreach (var (name, most) in item.Max)
            {
                if (!requests.TryGetValue(name, out var request))
                    yield return $"maximum {name} usage per {item.Type} is {most}.  No request is specified";
                else if (request > most)
                    yield return $"maximum {name} usage per {item.Type} is {most}, but request is {request}";
            }
        }
    }

    private static IEnumerable<string> Check(LimitRangeItem item, IReadOnlyDictionary<string, Quantity> requests, IReadOnlyDictionary<string, Quantity> limits) =>
        Least(item, requests, limits).Concat(Most(item, requests, limits)).Concat(Ratio(item, requests, limits));

    private static IEnumerable<string> Least(LimitRangeItem item, IReadOnlyDictionary<string, Quantity> requests, IReadOnlyDictionary<string, Quantity> limits)
    {
        foreach (var (name, least) in item.Min)
        {
            if (!requests.TryGetValue(name, out var request))
                yield return $"minimum {name} usage per {item.Type} is {least}.  No request is specified";
            else if (request < least)
                yield return $"minimum {name} usage per {item.Type} is {least}, but request is {request}";
            if (limits.TryGetValue(name, out var limit) && limit < least)
                yield return $"minimum {name} usage per {item.Type} is {least}, but limit is {limit}";
        }
    }

    private static IEnumerable<string> Most(LimitRangeItem item, IReadOnlyDictionary<string, Quantity> requests, IReadOnlyDictionary<string, Quantity> limits)
    {
        foreach (var (name, most) in item.Max)
        {
            if (!limits.TryGetValue(name, out var limit))
                yield return $"maximum {name} usage per {item.Type} is {most}.  No limit is specified";
            else if (limit > most)
                yield return $"maximum {name} usage per {item.Type} is {most}, but limit is {limit}";
            if (requests.TryGetValue(name, out var request) && request > most)
                yield return $"maximum {name} usage per {item.Type} is {most}, but request is {request}";
        }
    }

    private static IEnumerable<string> Ratio(LimitRangeItem item, IReadOnlyDictionary<string, Quantity> requests, IReadOnlyDictionary<string, Quantity> limits)
    {
        foreach (var (name, most) in item.MaxLimitRequestRatio)
        {
            var start = $"{name} max limit to request ratio per {item.Type} is {most}, but ";
            if (!requests.TryGetValue(name, out var request) || request.IsZero)
                yield return start + "no request is specified or request is 0";
            else if (!limits.TryGetValue(name, out var limit) || limit.IsZero)
                yield return start + "no limit is specified or limit is 0";
            else if ((double)limit.Milli / request.Milli is var ratio && ratio > most.Milli / 1000.0)
                yield return start + string.Create(CultureInfo.InvariantCulture, $"provided ratio is {ratio:F6}");
        }
    }
}
