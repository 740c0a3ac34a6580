using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;

namespace Weft.Proxy.Routing.Matching;

/// <summary>A compiled <see cref="ClaimMatch"/>.</summary>
internal sealed class ClaimMatcher(ClaimMatch match)
{
    private readonly string[] _path = [.. match.Path];
    private readonly TextMatcher? _value = match.Value is { } value ? new(value) : null;
    private readonly bool _invert = match.Invert;

    /// <param name="token">Null: none was verified.</param>
    public bool Matches(RequestIdentity? token) => (token is not null && Any(token.Claim(_path))) != _invert;

    private bool Any(IReadOnlyList<string> values)
    {
        if (_value is null)
            return values.Count > 0;
        foreach (var one in values)
        {
            if (_value.Matches(Encoding.UTF8.GetBytes(one)))
                return true;
        }

        return false;
    }
}
