using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Requests and limits.</summary>
internal static class ResourceValidation
{
    public static IEnumerable<FieldError> Validate(Field resources)
    {
        foreach (var list in (Field[])[resources["limits"], resources["requests"]])
        {
            foreach (var (name, amount) in list.Entries)
            {
                if (NameError(name) is { } wrong)
                    yield return FieldError.Invalid(amount.Path, Field.Show(name), wrong);
                foreach (var error in Rules.Quantity(amount))
                    yield return error;
                if (IsWholeOnly(name) && Amount(amount) is { IsWhole: false })
                    yield return amount.Invalid("must be an integer");
            }
        }

        foreach (var (name, request) in resources["requests"].Entries)
        {
            var limit = resources["limits"].At(name);
            if (Amount(request) is not { } asked)
                continue;
            if (Amount(limit) is { } most)
            {
                if (IsExtended(name) && asked != most)
                    yield return FieldError.Invalid(resources["requests"].Path, request.Shown, $"must be equal to {name} limit of {most}");
                else if (asked > most)
                    yield return FieldError.Invalid(resources["requests"].Path, request.Shown, $"must be less than or equal to {name} limit of {most}");
            }
            else if (IsExtended(name))
                yield return FieldError.Required(resources["limits"].Path, "Limit must be set for non overcommitable resources");
        }
    }

    /// <summary>Guaranteed when every container limits cpu and memory and asks for all of it, BestEffort when none says anything, else Burstable.</summary>
    public static string QosClass(Field spec)
    {
        var guaranteed = true;
        var any = false;
        foreach (var container in spec["initContainers"].Items.Concat(spec["containers"].Items))
        {
            foreach (var name in (string[])["cpu", "memory"])
            {
                var limit = Amount(container["resources"]["limits"][name]);
                var request = Amount(container["resources"]["requests"][name]) ?? limit;
                any |= limit is { IsZero: false } || request is { IsZero: false };
                guaranteed &= limit is { IsZero: false } && request == limit;
            }
        }
        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
    }

    private static Quantity? Amount(Field field) => Quantity.TryParse(field.Scalar, out var amount) ? amount : null;

    private static bool IsStandard(string name) => name is "cpu" or "memory" or "ephemeral-storage" || name.StartsWith("hugepages-", StringComparison.Ordinal);

    // Resources with a domain, such as devices, cannot be shared out in part or overcommitted.
    private static bool IsExtended(string name) => name.Contains('/') && !name.StartsWith("kubernetes.io/", StringComparison.Ordinal);

    private static bool IsWholeOnly(string name) => IsExtended(name);

    /// <summary>Whether an amount of a container, or of a claim, can have this name.</summary>
    public static string? NameErrorOf(string name, bool ofClaim) => ofClaim && name == "storage" ? null : NameError(name);

    private static string? NameError(string name)
    {
        if (NameRules.QualifiedName(name) is { } wrong)
            return wrong;
        return name.Contains('/') || IsStandard(name) ? null : "must be a standard resource for containers";
    }
}
