using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using MeshTrust.Checks;

namespace MeshTrust.Reporting;

/// <summary>
/// Markup as an interpolated string, for example <c>Html cell = $"&lt;td&gt;{name}&lt;/td&gt;"</c>. The literal parts are markup. Every
/// text that is put in becomes one encoded line, so that nothing from a cluster can be markup or change the direction of the text.
/// </summary>
/// <remarks>A class: sequences of a struct would need code of their own, which the runtime compiles at every start.</remarks>
[InterpolatedStringHandler]
internal sealed class Html(int literalLength, int formattedCount)
{
    public static readonly Html None = new(0, 0);
    private readonly StringBuilder _text = new(literalLength + (16 * formattedCount));

    /// <summary>Markup of this program, for instance its style sheet.</summary>
    public static Html Raw(string markup)
    {
        var html = new Html(markup.Length, 0);
        html.AppendLiteral(markup);
        return html;
    }

    public void AppendLiteral(string markup) => _text.Append(markup);

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(IO.Text.OneLine(text)));

    public void AppendFormatted(int number) => _text.Append(number);

    /// <summary>A coordinate or a share: two decimals are enough.</summary>
    public void AppendFormatted(double number) => _text.Append(number.ToString("0.##", CultureInfo.InvariantCulture));

    public void AppendFormatted(Html part) => _text.Append(part._text);

    public void AppendFormatted(IEnumerable<Html> parts)
    {
        foreach (var part in parts) _text.Append(part._text);
    }

    public override string ToString() => _text.ToString();
}

/// <summary>A state as class of the style sheet, as sign and as word, so that colour is never the only signal.</summary>
internal sealed record Mark(string Css, string Icon, string Word)
{
    public static readonly Mark Trusted = new("ok", "✓", "trusted");
    public static readonly Mark NotTrusted = new("bad", "✗", "not trusted");
    public static readonly Mark Untested = new("ask", "?", "not tested");
    public static readonly Mark Current = new("ok", "✓", "yes");
    public static readonly Mark Pending = new("warn", "!", "no, a reload is pending");
    public static readonly Mark Unknown = new("ask", "?", "could not check");
    public static readonly Mark Error = new("bad", "✗", "error");
    public static readonly Mark Warning = new("warn", "!", "warning");

    public static Mark Of(bool? trusted) => trusted switch { true => Trusted, false => NotTrusted, null => Untested };

    public static Mark Of(TrustOutcome outcome) => outcome switch
    {
        TrustOutcome.Passed => new("ok", "✓", "Passed"),
        TrustOutcome.PassedWithWarnings => new("warn", "!", "Passed with warnings"),
        TrustOutcome.CouldNotCheck => new("ask", "?", "Incomplete"),
        _ => new("bad", "✗", "Failed"),
    };

    public static Mark Of(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => new("ok", "✓", "passed"),
        CheckOutcome.NotApplicable => new("none", "–", "not applicable"),
        CheckOutcome.Warned => Warning,
        CheckOutcome.CouldNotCheck => Unknown,
        _ => new("bad", "✗", "failed"),
    };
}
