using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A watch: one line of JSON for each change, until the client disconnects, its time is up or the server stops.</summary>
internal sealed class WatchStream(ObjectStore store, TimeProvider clock, ObjectKind kind, string namespaceName, Selector selector)
{
    /// <summary>Where to start; 0 starts with the existing objects.</summary>
    public long From { get; init; }

    public Representation Form { get; init; }

    /// <summary>Null ends only with the client or the server.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Null sends no bookmarks.</summary>
    public TimeSpan? Bookmarks { get; init; }

    public async Task WriteAsync(Stream target, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var never = System.Threading.Timeout.InfiniteTimeSpan;
        using var timer = clock.CreateTimer(_ => end.Cancel(), null, Timeout ?? never, never);
        try
        {
            // Send the headers now: a client waits for them before it considers the watch started.
            await target.FlushAsync(end.Token).ConfigureAwait(false);
            await RunAsync(target, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client left, the time is up or the server stops: the stream ends in good order.
        }
    }

    private async Task RunAsync(Stream target, CancellationToken cancellationToken)
    {
        var revision = From;
        if (revision == 0)
        {
            (var items, revision) = store.List(kind, namespaceName);
            foreach (var item in items.Where(selector.Matches))
                await SendAsync(target, "ADDED", item, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            if (store.ReadSince(revision) is not var (changes, next))
            {
                var gone = new ApiFault(410, "Expired", $"too old resource version: {revision} ({store.OldestWatchable})");
                var last = ObjectJson.Event("ERROR", ApiJson.ToUtf8(gone.ToStatus()));
                await target.WriteAsync(last, cancellationToken).ConfigureAwait(false);
                return;
            }

            foreach (var change in changes)
            {
                revision = change.Revision;
                if (TypeOf(change) is { } type) await SendAsync(target, type, change.Last, cancellationToken).ConfigureAwait(false);
            }

            await target.FlushAsync(cancellationToken).ConfigureAwait(false);
            await WaitAsync(target, next, revision, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(Stream target, Task next, long revision, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(Bookmarks ?? System.Threading.Timeout.InfiniteTimeSpan, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var mark = new JsonObject
            {
                ["kind"] = kind.Kind,
                ["apiVersion"] = kind.ApiVersion,
                ["metadata"] = new JsonObject { ["resourceVersion"] = ApiJson.Number(revision), ["creationTimestamp"] = null },
            };
            await target.WriteAsync(ObjectJson.Event("BOOKMARK", ApiJson.ToUtf8(mark)), cancellationToken).ConfigureAwait(false);
            await target.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // An object that a change hides from or shows to a selector counts as deleted or added.
    private string? TypeOf(StoreChange change)
    {
        if (change.Last.Kind != kind || (namespaceName.Length > 0 && change.Last.Namespace != namespaceName)) return null;
        var before = change.Before is { } b && selector.Matches(b);
        var after = change.After is { } a && selector.Matches(a);
        return (before, after) switch
        {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            _ => null,
        };
    }

    private async Task SendAsync(Stream target, string type, StoredObject item, CancellationToken cancellationToken)
    {
        var json = ObjectJson.Single(item, Form, clock.GetUtcNow());
        await target.WriteAsync(ObjectJson.Event(type, json), cancellationToken).ConfigureAwait(false);
    }
}
