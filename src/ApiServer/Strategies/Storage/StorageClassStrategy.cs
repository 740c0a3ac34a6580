using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Storage;

internal sealed class StorageClassStrategy : DefaultStrategy
{
    // etcd's limit of an object divided by what Kubernetes leaves for a class.
    private const int MostParameters = 512;

    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        tree.Default("reclaimPolicy", "Delete");
        tree.Default("volumeBindingMode", "Immediate");
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        foreach (var error in Rules.Named(root["provisioner"], text => NameRules.QualifiedName(text.ToLowerInvariant())))
            yield return error;
        if (root["parameters"].Count > MostParameters)
            yield return root["parameters"].TooLong($"may have at most {MostParameters} items");
        if (root["reclaimPolicy"].Text is "Recycle")
            yield return root["reclaimPolicy"].Unsupported(["Delete", "Retain"]);
    }
}
