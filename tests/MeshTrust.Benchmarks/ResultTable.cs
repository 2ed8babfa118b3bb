using System.Globalization;
using System.Text;

namespace MeshTrust.Benchmarks;

/// <summary>Rows as a Markdown table whose columns are also aligned at a terminal.</summary>
internal static class ResultTable
{
    private static readonly string[] Head = ["what", "ours: min / median / max", "against", "theirs: min / median / max", "ratio", "aim", "met"];

    public static string Render(IEnumerable<ResultRow> rows)
    {
        var lines = rows.Select(Cells).Prepend(Head).ToList();
        var widths = Enumerable.Range(0, Head.Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        lines.Insert(1, [.. widths.Select(width => new string('-', width))]);
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append("| ").AppendJoin(" | ", line.Select((cell, column) => cell.PadRight(widths[column]))).Append(" |\n");
        return text.ToString();
    }

    private static string[] Cells(ResultRow row) =>
    [
        row.What,
        Spread(row.Ours, row.Unit),
        row.Against,
        row.Theirs is { } theirs ? Spread(theirs, row.Unit) : "",
        row.Ratio is { } ratio ? Number(ratio) : "",
        row.Aim is not { } aim ? "" : row.IsRatio ? $"≤ {Number(aim)}" : $"< {Value(aim, row.Unit)} {Name(row.Unit)}",
        row.IsMet switch { true => "yes", false => "NO", null when row.Aim is not null => "not measured", null => "" },
    ];

    private static string Spread(Samples samples, Unit unit) =>
        $"{Value(samples.Min, unit)} / {Value(samples.Median, unit)} / {Value(samples.Max, unit)} {Name(unit)}";

    private static string Value(double value, Unit unit) => unit == Unit.Seconds
        ? Number(value)
        : (unit == Unit.Megabytes ? value / 1e6 : value).ToString("0", CultureInfo.InvariantCulture);

    private static string Name(Unit unit) => unit switch { Unit.Megabytes => "MB", Unit.Requests => "requests", _ => "s" };

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
