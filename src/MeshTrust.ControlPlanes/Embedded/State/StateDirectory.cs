using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;
using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded.State;

/// <summary>
/// One cluster's files: <c>objects.json</c>, <c>identity.json</c>, <c>endpoint.json</c> and <c>lock</c>. Every file is 0600 from its
/// creation in a 0700 directory and is replaced by rename, so that a killed process leaves the old or the new one, never half of one.
/// </summary>
internal sealed class StateDirectory(string path, string cluster)
{
    private const int Format = 1;

    public string Path { get; } = path;

    public string ObjectsFile => System.IO.Path.Combine(Path, "objects.json");

    public string IdentityFile => System.IO.Path.Combine(Path, "identity.json");

    public string EndpointFile => System.IO.Path.Combine(Path, "endpoint.json");

    /// <summary>Makes the directory, readable for its owner only.</summary>
    public void Create()
    {
        try
        {
            PrivateFile.CreateDirectory(Path);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Path, e);
        }
    }

    /// <summary>Takes the lock, which the operating system gives back when the process ends. Null where another holds it.</summary>
    public FileStream? TryLock()
    {
        try
        {
            return PrivateFile.OpenExclusive(System.IO.Path.Combine(Path, "lock"));
        }
        catch (IOException e) when (DiskFault.IsTaken(e))
        {
            return null;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Path, e);
        }
    }

    /// <summary>What the last run left; revision 0 and no objects where there was none.</summary>
    public (long Revision, IReadOnlyList<StoredObject> Objects) LoadObjects()
    {
        if (Read(ObjectsFile) is not { } bytes) return (0, []);
        try
        {
            var root = JsonNode.Parse(bytes)!.AsObject();
            if (root["format"]!.GetValue<int>() != Format) throw new FormatException($"It has format {root["format"]}, this version reads {Format}.");
            var objects = new List<StoredObject>();
            foreach (var item in root["objects"]!.AsArray())
            {
                var source = item!.AsObject();
                var kind = ObjectKind.All.First(k => k.Kind == source["kind"]!.GetValue<string>());
                var revision = long.Parse(source["metadata"]!["resourceVersion"]!.GetValue<string>(), CultureInfo.InvariantCulture);
                objects.Add(StoredObject.Freeze(kind, (JsonObject)source.DeepClone(), revision));
            }

            return (root["resourceVersion"]!.GetValue<long>(), objects);
        }
        catch (FormatException e)
        {
            throw Corrupt(ObjectsFile, e.Message);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or OverflowException or InvalidCastException)
        {
            throw Corrupt(ObjectsFile, "It is not what an embedded cluster writes.");
        }
    }

    /// <summary>Saves the whole store.</summary>
    public void Save(ObjectStore store)
    {
        try
        {
            SaveObjects(store.Revision, ObjectKind.All.SelectMany(k => store.List(k, string.Empty).Items));
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Path, e);
        }
    }

    /// <summary>Saves objects; the disk's faults come as they are.</summary>
    public void SaveObjects(long revision, IEnumerable<StoredObject> objects)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format", Format);
            writer.WriteString("cluster", cluster);
            writer.WriteNumber("resourceVersion", revision);
            writer.WriteStartArray("objects");
            foreach (var item in objects)
            {
                // The stored text begins with a brace; the kind goes in behind it.
                var prefix = $"{{\"kind\":\"{item.Kind.Kind}\",";
                var buffer = new byte[prefix.Length + item.Json.Length - 1];
                System.Text.Encoding.ASCII.GetBytes(prefix, buffer);
                item.Json.AsSpan(1).CopyTo(buffer.AsSpan(prefix.Length));
                writer.WriteRawValue(buffer, skipInputValidation: true);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        WholeFile.Replace(ObjectsFile, stream.GetBuffer().AsSpan(0, (int)stream.Length), secret: true);
    }

    public byte[]? ReadIdentity() => Read(IdentityFile);

    public void SaveIdentity(byte[] json) => Write(IdentityFile, json);

    /// <summary>The port of the server that runs or ran last; 0 where that is not known.</summary>
    public int ReadPort()
    {
        try
        {
            return Read(EndpointFile) is { } bytes && JsonNode.Parse(bytes)?["port"] is JsonValue v && v.TryGetValue<int>(out var port) && port is > 0 and < 65536 ? port : 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Only a preference: any port will do.
            return 0;
        }
    }

    public void SavePort(int port) => Write(EndpointFile, JsonText.ToUtf8(new JsonObject { ["port"] = port, ["process"] = Environment.ProcessId }));

    public MeshTrustException Corrupt(string file, string why) => new(Stage.ClusterCreation, new Problem("MT2001", file,
        $"The state of embedded cluster '{cluster}' cannot be read. {why} Nothing was changed.",
        $"Put the file back from a copy, or move {Path} away to begin with an empty cluster."));

    private static byte[]? Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, file, e);
        }
    }

    private void Write(string file, byte[] content)
    {
        try
        {
            WholeFile.Replace(file, content, secret: true);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Path, e);
        }
    }
}
