using System.Text;
using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>Reads JSON into the same nodes as YAML. A reader of its own, because YAML readers stumble over some of what JSON allows.</summary>
internal sealed class JsonText(string file, ProblemCollection problems)
{
    /// <summary>The document; null, with a problem, where it is broken.</summary>
    public SourceNode? Parse(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var builder = new SourceBuilder(file, problems);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = SourceBuilder.MaxDepth + 2 });
        var line = 1;
        var counted = 0;
        try
        {
            while (reader.Read())
            {
                var at = (int)reader.TokenStartIndex;
                line += bytes.AsSpan(counted, at - counted).Count((byte)'\n');
                counted = at;
                if (!Take(ref reader, builder, line)) return null;
            }
        }
        catch (JsonException fault)
        {
            problems.Add("MT0103", $"{file}:{(fault.LineNumber ?? 0) + 1}", $"This is not JSON: {Sentence(fault.Message)}", "Mend the line.");
            return null;
        }
        catch (InvalidOperationException)
        {
            problems.Add("MT0103", $"{file}:{line}", "This is not JSON: a text holds half of a character.", "Mend the escape with \\u.");
            return null;
        }

        return builder.Root;
    }

    private static string Sentence(string message)
    {
        // .NET adds its own place, which counts from zero.
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return Shown.Plain(end < 0 ? message : message[..end], 200).TrimEnd('.', ' ') + ".";
    }

    private static bool Take(ref Utf8JsonReader reader, SourceBuilder builder, int line)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return builder.Open(isMap: true, line);
            case JsonTokenType.StartArray:
                return builder.Open(isMap: false, line);
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                return builder.Close() is not null;
            case JsonTokenType.PropertyName:
                builder.AddKey(reader.GetString()!, line);
                return true;
            case JsonTokenType.String:
                return builder.Add(new ScalarNode(line, reader.GetString()!, IsQuoted: true));
            default:
                return builder.Add(new ScalarNode(line, Encoding.UTF8.GetString(reader.ValueSpan), IsQuoted: false));
        }
    }
}
