using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>A compiled <see cref="AuthorizationRule"/>.</summary>
internal sealed class PolicyRule(AuthorizationRule rule)
{
    private readonly SourceRule[] _from = [.. rule.From.Select(s => new SourceRule(s))];
    private readonly OperationRule[] _to = [.. rule.To.Select(o => new OperationRule(o))];
    private readonly ConditionRule[] _when = [.. rule.When.Select(c => new ConditionRule(c))];

    public bool Matches(in PolicyInput input) => From(input) && To(input) && When(input);

    private bool From(in PolicyInput input)
    {
        foreach (var source in _from)
        {
            if (source.Holds(input))
                return true;
        }

        return _from.Length == 0;
    }

    private bool To(in PolicyInput input)
    {
        foreach (var operation in _to)
        {
            if (operation.Holds(input))
                return true;
        }

        return _to.Length == 0;
    }

    private bool When(in PolicyInput input)
    {
        foreach (var condition in _when)
        {
            if (!condition.Holds(input))
                return false;
        }

        return true;
    }
}
