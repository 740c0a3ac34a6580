using Weft.Api;
using Weft.Api.FrontDoor;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor.Policies;

/// <summary>
/// Policies of our own kinds as filters of routes at the front door. Who is there is asked before anything is counted, so that limits by consumer know one. A policy that asks for
/// credentials and cannot be read lets nobody in.
/// </summary>
internal static class DoorPolicies
{
    public static IEnumerable<Job> Of(MeshIndex index)
    {
        foreach (var policy in index.DoorPolicies)
        {
            yield return new($"{policy.GetType().Name} {MeshIndex.Name(policy)}", policy, (lookups, diagnostics) =>
            {
                var problems = Problems.Of(policy, diagnostics);
                DoorTargets.Check(policy, problems);
                _ = Filters(policy, lookups, problems).Count();
                return [];
            });
        }
    }

    /// <summary>
    /// Of each kind of credentials the nearest policy of a namespace holds alone, and of its age the oldest: nobody takes the policy of another namespace from what that namespace guards. Limits all hold.
    /// </summary>
    /// <param name="targets">All that a request passes; what is named first is nearest.</param>
    public static IEnumerable<FilterConfig> Filters(IEnumerable<ObjectRef> targets, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var all = targets.SelectMany(lookups.DoorPolicies).Distinct(ReferenceEqualityComparer.Instance).Cast<IObject>().ToList();
        var filters = Nearest<JwtPolicy>().Concat(Nearest<ApiKeyPolicy>()).Concat(Nearest<BasicAuthPolicy>()).Concat(all.OfType<RateLimitPolicy>())
            .SelectMany(policy => Filters(policy, lookups, Problems.Of(policy, diagnostics))).ToList();
        // Each that asks for a token finds it.
        foreach (var (i, filter) in filters.Index().Where(item => item.Item is JwtFilter).SkipLast(1).ToList())
            filters[i] = (JwtFilter)filter with { Issuers = ((JwtFilter)filter).Issuers.Select(issuer => issuer with { Forward = true }).ToValueList() };
        return filters;

        IEnumerable<IObject> Nearest<T>() where T : IObject => all.OfType<T>().DistinctBy(policy => policy.Metadata.Namespace).Cast<IObject>();
    }

    private static IEnumerable<FilterConfig> Filters(IObject policy, MeshLookups lookups, Problems problems) => policy switch
    {
        JwtPolicy tokens => [TokenPolicies.Read(tokens, lookups, problems)],
        ApiKeyPolicy keys => [Keys(keys, lookups, problems)],
        BasicAuthPolicy passwords => [Passwords(passwords, lookups, problems)],
        RateLimitPolicy limits => Limits(limits, problems),
        _ => [],
    };

    private static ApiKeyFilter Keys(ApiKeyPolicy policy, MeshLookups lookups, Problems problems)
    {
        var (spec, @namespace, keys) = (policy.Spec, policy.Metadata.Namespace ?? "", new List<ApiKey>());
        if (spec.Consumers.Count == 0 && spec.SecretRefs.Count == 0)
            problems.Error("spec", "has neither consumers nor secretRefs, so nobody is let in");
        foreach (var (i, consumer) in spec.Consumers.Index())
        {
            var (field, entry) = ($"spec.consumers[{i}].secretRef", consumer.SecretRef.Key is { Length: > 0 } named ? named : "key");
            if (!IsName(consumer.Name))
                problems.Error($"spec.consumers[{i}].name", $"'{consumer.Name}' is not of visible ASCII without a colon");
            else if (lookups.Secret(@namespace, consumer.SecretRef.Name) is not { } secret)
                problems.Error($"{field}.name", $"there is no Secret '{consumer.SecretRef.Name}'; '{consumer.Name}' is not let in");
            else if (secret.Keys.FirstOrDefault(key => key.Client == entry) is not { } key)
                problems.Error($"{field}.key", $"Secret '{secret.Name}' has no entry '{entry}' with a key; '{consumer.Name}' is not let in");
            else
                keys.Add(key with { Client = consumer.Name });
        }

        foreach (var (i, name) in spec.SecretRefs.Index())
        {
            if (lookups.Secret(@namespace, name.Name) is { } secret)
                keys.AddRange(secret.Keys);
            else
                problems.Error($"spec.secretRefs[{i}].name", $"there is no Secret '{name.Name}'; its consumers are not let in");
        }

        var header = spec.Header is { Length: > 0 } own ? own : "x-api-key";
        return new()
        {
            // A key that nobody has: a filter without any is not taken.
            Keys = keys.Count > 0 ? keys.Distinct().ToValueList() : [new("nobody", new string('0', 64))],
            Header = HeaderTexts.IsFieldName(header, "spec.header", problems) ? header : "x-api-key",
            Query = string.IsNullOrEmpty(spec.Query) ? null : spec.Query, Cookie = string.IsNullOrEmpty(spec.Cookie) ? null : spec.Cookie,
            Forward = spec.Forward == true, ClientHeader = Field(spec.ConsumerHeader, "spec.consumerHeader", problems),
        };
    }

    private static BasicAuthFilter Passwords(BasicAuthPolicy policy, MeshLookups lookups, Problems problems)
    {
        var (spec, name) = (policy.Spec, policy.Spec.SecretRef.Name);
        var secret = lookups.Secret(policy.Metadata.Namespace ?? "", name);
        if (secret is null)
            problems.Error("spec.secretRef.name", $"there is no Secret '{name}'; nobody is let in until it is there");
        else if (secret.Users.IsEmpty)
            problems.Error("spec.secretRef.name", $"Secret '{name}' has no user that can be checked at its entry 'auth'; nobody is let in. Write it with htpasswd -B");
        else if (!secret.Unusable.IsEmpty)
            problems.Error("spec.secretRef.name", $"of Secret '{name}' these cannot be checked and are refused: {string.Join(", ", secret.Unusable.Take(5))}. Write them with htpasswd -B");
        return Credentials.Basic(secret?.Users ?? [], spec.Realm is { Length: > 0 } realm ? realm : "weft") with
        {
            Forward = spec.Forward == true, ClientHeader = Field(spec.UserHeader, "spec.userHeader", problems),
        };
    }

    private static IEnumerable<FilterConfig> Limits(RateLimitPolicy policy, Problems problems)
    {
        if (policy.Spec.Limits.Count == 0)
            problems.Error("spec.limits", "is missing; say how many requests");
        foreach (var (i, limit) in policy.Spec.Limits.Index())
        {
            var (field, before) = ($"spec.limits[{i}]", problems.Errors);
            var per = Durations.Read(limit.Per is { Length: > 0 } text ? text : "1s", $"{field}.per", problems);
            if (limit.Requests <= 0)
                problems.Error($"{field}.requests", $"{limit.Requests} is no number of requests; 1 or more");
            if (per == TimeSpan.Zero)
                problems.Error($"{field}.per", "must be above zero");
            var keys = limit.By.Select((by, j) => Key(by, $"{field}.by[{j}]", problems)).OfType<LimitKey>().ToValueList();
            if (problems.Errors > before)
                continue;
            yield return new RateLimitFilter
            {
                Name = $"{MeshIndex.Name(policy)}/{(string.IsNullOrEmpty(limit.Name) ? $"{i}" : limit.Name)}", Requests = limit.Requests, Per = per!.Value,
                Burst = Math.Max(0, limit.Burst ?? 0), Keys = keys, Status = policy.Spec.StatusCode is >= 400 and <= 599 and var status ? status : 429, DryRun = policy.Spec.DryRun == true,
            };
        }
    }

    private static LimitKey? Key(LimitedBy by, string field, Problems problems)
    {
        switch (by.Type)
        {
            case "ClientAddress":
                return new AddressKey();
            case "Consumer":
                return new IdentityKey();
            case "Path":
                return new PathKey();
            case "Header" when by.Name is { Length: > 0 } name:
                return HeaderTexts.IsFieldName(name, $"{field}.name", problems) ? new HeaderKey(name) : null;
            case "Header":
                problems.Error($"{field}.name", "is missing; name the field");
                return null;
            default:
                problems.Error($"{field}.type", $"'{by.Type}' is none of ClientAddress, Consumer, Path and Header");
                return null;
        }
    }

    private static string? Field(string? name, string field, Problems problems) => string.IsNullOrEmpty(name) || !HeaderTexts.IsFieldName(name, field, problems) ? null : name;

    private static bool IsName(string name) => name.Length > 0 && name.All(c => c is > ' ' and <= '~' and not ':');
}
