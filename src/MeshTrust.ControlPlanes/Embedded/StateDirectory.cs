using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// One cluster's files: <c>objects.json</c>, <c>identity.json</c>, <c>endpoint.json</c> and <c>lock</c>. Every file is 0600 from its
/// creation in a 0700 directory and is replaced by rename, so that a killed process leaves the old or the new one, never a partial one.
/// </summary>
internal sealed class StateDirectory(string path, string cluster)
{
    private const int Format = 1;
    private readonly string _objects = System.IO.Path.Combine(path, "objects.json");
    private readonly string _identity = System.IO.Path.Combine(path, "identity.json");
    private readonly string _endpoint = System.IO.Path.Combine(path, "endpoint.json");

    public string Path { get; } = path;

    public void Create() => PlaneDisk.Guarded(Path, () => AtomicFile.CreatePrivateDirectory(Path));

    /// <summary>Takes the lock, which the operating system releases when the process ends. Null if another process holds it.</summary>
    public FileLock? TryLock() => PlaneDisk.Guarded(Path, () => FileLock.TryTake(System.IO.Path.Combine(Path, "lock")));

    /// <summary>The state of the last run; revision 0 and no objects if there was none.</summary>
    public (long Revision, IReadOnlyList<StoredObject> Objects) LoadObjects()
    {
        if (Read(_objects) is not { } bytes) return (0, []);
        try
        {
            var root = JsonNode.Parse(bytes)!.AsObject();
            if (root["format"]!.GetValue<int>() != Format)
                throw new FormatException($"It has format {root["format"]}, but this version reads format {Format}.");
            var objects = root["objects"]!.AsArray().Select(item =>
            {
                var source = item!.DeepClone().AsObject();
                var kind = ObjectKind.All.First(k => k.Kind == source["kind"]!.GetValue<string>());
                var revision = long.Parse(source["metadata"]!["resourceVersion"]!.GetValue<string>(), CultureInfo.InvariantCulture);
                return StoredObject.Freeze(kind, source, revision);
            });
            return (root["resourceVersion"]!.GetValue<long>(), [.. objects]);
        }
        catch (FormatException e)
        {
            throw Corrupt(_objects, e.Message);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or OverflowException
            or InvalidCastException)
        {
            throw Corrupt(_objects, "It was not written by an embedded cluster.");
        }
    }

    /// <summary>Saves all objects; disk errors are passed on.</summary>
    public void SaveObjects(long revision, IEnumerable<StoredObject> objects)
    {
        var json = ObjectJson.Build(writer =>
        {
            writer.WriteNumber("format", Format);
            writer.WriteString("cluster", cluster);
            writer.WriteNumber("resourceVersion", revision);
            writer.WriteStartArray("objects");
            foreach (var item in objects) writer.WriteRawValue(item.JsonWith($"\"kind\":\"{item.Kind.Kind}\","), skipInputValidation: true);
            writer.WriteEndArray();
        });
        AtomicFile.Replace(_objects, json, secret: true);
    }

    /// <summary>The credentials of the current or last server; null if there was none.</summary>
    public ServerIdentity? LoadIdentity()
    {
        if (Read(_identity) is not { } bytes) return null;
        try
        {
            return ServerIdentity.Parse(bytes);
        }
        catch (FormatException e)
        {
            throw Corrupt(_identity, e.Message);
        }
    }

    public void SaveIdentity(ServerIdentity identity) =>
        PlaneDisk.Guarded(Path, () => AtomicFile.Replace(_identity, identity.ToJson(), secret: true));

    /// <summary>The port of the current or last server; 0 if unknown.</summary>
    public int ReadPort()
    {
        try
        {
            return Read(_endpoint) is { } bytes
                && JsonNode.Parse(bytes)?["port"] is JsonValue v && v.TryGetValue<int>(out var port) && port is > 0 and < 65536 ? port : 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Only a preference: any port works.
            return 0;
        }
    }

    public void SavePort(int port)
    {
        var json = new JsonObject { ["port"] = port, ["process"] = Environment.ProcessId };
        PlaneDisk.Guarded(Path, () => AtomicFile.Replace(_endpoint, ApiJson.ToUtf8(json), secret: true));
    }

    private static byte[]? Read(string file) => PlaneDisk.Guarded(file, () =>
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });

    private MeshTrustException Corrupt(string file, string why) => new(Stage.ClusterCreation, new Problem("MT2001", file,
        $"The state of embedded cluster '{cluster}' cannot be read. {why} Nothing was changed.",
        $"Restore the file from a copy, or move {Path} away to start with an empty cluster."));
}
