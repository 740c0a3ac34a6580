namespace Weft.ApiServer.Strategies;

/// <summary>Of custom kinds: the common rules of metadata; all else the schema of the CRD says.</summary>
internal sealed class CustomStrategy(bool namespaced, bool hasStatus) : DefaultStrategy
{
    public override bool Namespaced => namespaced;
    public override bool HasStatus => hasStatus;
}
