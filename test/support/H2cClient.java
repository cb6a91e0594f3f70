import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** A stock client with default settings, which asks for h2c. Arguments: URL, token, body. */
public class H2cClient {
  public static void main(String[] args) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
        .header("Content-Type", "application/json; charset=UTF-8")
        .header("Cookie", "ccmessaging-token=" + args[1])
        .POST(HttpRequest.BodyPublishers.ofString(args[2]))
        .build();
    HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.println(response.statusCode() + " " + response.body());
  }
}
