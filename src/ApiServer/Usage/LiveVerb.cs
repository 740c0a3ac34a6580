using System.Buffers;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;
using Weft.Storage;

namespace Weft.ApiServer.Usage;

/// <summary>get and list of what is measured, with the selectors and shapes that stored objects have. There are no revisions, so nothing to continue or to watch.</summary>
internal sealed class LiveVerb(IReadOnlyList<ILiveResource> sources, ObjectReader reader, TimeProvider time)
{
    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var source = sources.FirstOrDefault(candidate => candidate.Serves(resource.Resource))
            ?? throw Statuses.Unavailable($"{resource.Resource.Qualified} are not measured by this server");
        var presenter = Presenter.For(request, resource, time.GetUtcNow());
        var output = new ArrayBufferWriter<byte>();
        var name = request.Info.Name;
        var isGet = request.Info.Verb == "get";
        var selection = isGet ? null : Selection.Read(request.Query, resource, reader.IndexOf(resource));
        var entries = (await source.ListAsync(resource.Resource, resource.Namespaced ? request.Info.Namespace : "", request.Aborted))
            .Select(tree => new Entry(Keys.Of(resource, Metadata.Namespace(tree), Metadata.Name(tree)), ObjectCodec.ToBytes(resource, tree), 0, 0));
        if (selection is not null)
            ListVerb.Write(output, resource, presenter, new ListPage([.. entries.Where(selection.Matches)], 0, null, null, 0));
        else
            presenter.WriteObject(output, Stored.Of(entries.FirstOrDefault(entry => Keys.NameOf(entry.Key) == name) ?? throw Statuses.NotFound(resource.Resource, name)));
        await ResponseWriter.WriteAsync(request, presenter.Format, output.WrittenMemory);
    }
}
