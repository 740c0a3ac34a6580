using Weft.Api.Schemas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;

namespace Weft.Host.Server;

internal sealed class BuiltInCatalog : IResourceCatalog
{
    public ResourceSnapshot Current { get; } = new(1, BuiltInResources.All(new SchemaReader(), kind => Columns.For(kind.Kind)));
}
