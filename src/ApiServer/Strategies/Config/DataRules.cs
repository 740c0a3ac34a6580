using Weft.Api;

namespace Weft.ApiServer.Strategies.Config;

/// <summary>What config maps and secrets have in common.</summary>
internal static class DataRules
{
    // Kubernetes' limit, well below the 1.5 MB of an etcd request.
    public const int MaxBytes = 1024 * 1024;

    public static int DecodedLength(string base64) => base64.Length / 4 * 3 - (base64.EndsWith("==", StringComparison.Ordinal) ? 2 : base64.EndsWith('=') ? 1 : 0);

    /// <summary>Once immutable, always, and the data too.</summary>
    public static IEnumerable<FieldError> Immutable(Field root, Field? old, string[] data)
    {
        if (old is not { } before || !before["immutable"].IsTrue)
            yield break;
        const string Detail = "field is immutable when `immutable` is set";
        if (!root["immutable"].IsTrue)
            yield return root["immutable"].Forbidden(Detail);
        foreach (var name in data)
        {
            if (!root[name].Value.SameAs(before[name].Value))
                yield return root[name].Forbidden(Detail);
        }
    }
}
