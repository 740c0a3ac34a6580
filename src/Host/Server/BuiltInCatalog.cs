using Weft.Api.Schemas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;

namespace Weft.Host.Server;

internal sealed class BuiltInCatalog : IResourceCatalog
{
    public BuiltInCatalog() => Current = new(1, BuiltInResources.All(Schemas, kind => Columns.For(kind.Kind)));

    internal SchemaReader Schemas { get; } = new();

    public ResourceSnapshot Current { get; }
}
