/// `/openapi.json`: what the server takes and gives.
enum OpenAPIDocument {
    /// OpenAPI 3.1.
    static let text = """
        {
          "openapi": "3.1.0",
          "info": {"title": "martlet", "version": "1", "description": "OpenAI's API in front \
        of a mixture-of-experts model that many small machines serve."},
          "security": [{}, {"key": []}],
          "paths": {
            "/health": {"get": {"summary": "Whether the server runs.", "responses": {"200": \
        {"description": "As asked", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Status"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/ready": {"get": {"summary": "Whether the model can answer.", "responses": \
        {"200": {"description": "As asked", "content": {"application/json": {"schema": \
        {"$ref": "#/components/schemas/Status"}}}}, "503": {"description": "Not yet", \
        "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Status"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/metrics": {"get": {"summary": "Counts for Prometheus.", "responses": {"200": \
        {"description": "As asked", "content": {"text/plain": {"schema": {"type": \
        "string"}}}}, "default": {"description": "An error", "content": {"application/json": \
        {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/openapi.json": {"get": {"summary": "This document.", "responses": {"200": \
        {"description": "As asked", "content": {"application/json": {"schema": {"type": \
        "object"}}}}, "default": {"description": "An error", "content": {"application/json": \
        {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/models": {"get": {"summary": "The model that is served.", "responses": \
        {"200": {"description": "As asked", "content": {"application/json": {"schema": \
        {"$ref": "#/components/schemas/Models"}}}}, "default": {"description": "An error", \
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/models/{name}": {"get": {"summary": "One model.", "responses": {"200": \
        {"description": "As asked", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Model"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}, \
        "parameters": [{"name": "name", "in": "path", "required": true, "schema": {"type": \
        "string"}}]}},
            "/v1/chat/completions": {"post": {"summary": "Answer in a conversation.", \
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/ChatRequest"}}}}, "responses": {"200": {"description": "The \
        answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/ChatCompletion"}}, "text/event-stream": {"schema": {"type": \
        "string"}}}}, "default": {"description": "An error", "content": {"application/json": \
        {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/completions": {"post": {"summary": "Continue texts.", "requestBody": \
        {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/CompletionRequest"}}}}, "responses": {"200": {"description": \
        "The answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Completion"}}, "text/event-stream": {"schema": {"type": \
        "string"}}}}, "default": {"description": "An error", "content": {"application/json": \
        {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/embeddings": {"post": {"summary": "Mean final hidden states, of length 1.", \
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/EmbeddingRequest"}}}}, "responses": {"200": {"description": \
        "The answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Embeddings"}}}}, "default": {"description": "An error", \
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/v1/next": {"post": {"summary": "How likely each token comes next.", \
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/NextRequest"}}}}, "responses": {"200": {"description": "The \
        answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Next"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/tokenize": {"post": {"summary": "The ids of a text.", "requestBody": \
        {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/TokenizeRequest"}}}}, "responses": {"200": {"description": "The \
        answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Tokens"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
            "/detokenize": {"post": {"summary": "The text of ids.", "requestBody": \
        {"required": true, "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/DetokenizeRequest"}}}}, "responses": {"200": {"description": \
        "The answer", "content": {"application/json": {"schema": {"$ref": \
        "#/components/schemas/Text"}}}}, "default": {"description": "An error", "content": \
        {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}}
          },
          "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
              "Error": {"type": "object", "required": ["error"], "properties": {"error": \
        {"type": "object", "required": ["message", "type", "param", "code"], "properties": \
        {"message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": \
        ["string", "null"]}, "code": {"type": ["string", "null"]}}}}},
              "Usage": {"type": "object", "required": ["prompt_tokens", "completion_tokens", \
        "total_tokens", "martlet"], "properties": {"prompt_tokens": {"type": "integer"}, \
        "completion_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}, \
        "prompt_tokens_details": {"type": "object"}, "martlet": {"type": "object", \
        "description": "What the answer cost: times in seconds, visits of experts, bytes, and \
        each device's part."}}},
              "CompletionRequest": {"type": "object", "required": ["prompt"], "properties": \
        {"model": {"type": "string"}, "n": {"type": "integer", "minimum": 1, "maximum": 16, \
        "default": 1}, "stream": {"type": "boolean"}, "stream_options": {"type": "object", \
        "properties": {"include_usage": {"type": "boolean"}}}, "stop": {"oneOf": [{"type": \
        "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}]}, \
        "temperature": {"type": "number", "minimum": 0, "maximum": 100, "default": 1}, \
        "top_p": {"type": "number", "minimum": 1e-09, "maximum": 1, "default": 1}, "top_k": \
        {"type": "integer", "minimum": -1, "maximum": 1000000, "default": 0}, "min_p": \
        {"type": "number", "minimum": 0, "maximum": 1, "default": 0}, "presence_penalty": \
        {"type": "number", "minimum": -2, "maximum": 2, "default": 0}, "frequency_penalty": \
        {"type": "number", "minimum": -2, "maximum": 2, "default": 0}, "repetition_penalty": \
        {"type": "number", "minimum": 0.01, "maximum": 100, "default": 1}, "logit_bias": \
        {"type": "object", "additionalProperties": {"type": "number", "minimum": -100, \
        "maximum": 100}}, "seed": {"type": "integer"}, "prompt": {"oneOf": [{"type": \
        "string"}, {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": \
        1}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 128}, \
        {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": \
        0}, "minItems": 1}, "minItems": 1, "maxItems": 128}]}, "max_tokens": {"type": \
        "integer", "minimum": 0, "maximum": 1000000, "default": 16}, "echo": {"type": \
        "boolean"}, "logprobs": {"type": "integer", "minimum": 0, "maximum": 20}}},
              "Completion": {"type": "object", "required": ["id", "object", "created", \
        "model", "choices"], "properties": {"id": {"type": "string"}, "object": {"const": \
        "text_completion"}, "created": {"type": "integer"}, "model": {"type": "string"}, \
        "choices": {"type": "array", "items": {"type": "object", "required": ["index", \
        "text", "logprobs", "finish_reason"], "properties": {"index": {"type": "integer"}, \
        "text": {"type": "string"}, "logprobs": {"type": ["object", "null"]}, \
        "finish_reason": {"enum": ["stop", "length", null]}}}}, "usage": {"$ref": \
        "#/components/schemas/Usage"}}},
              "ChatRequest": {"type": "object", "required": ["messages"], "properties": \
        {"model": {"type": "string"}, "n": {"type": "integer", "minimum": 1, "maximum": 16, \
        "default": 1}, "stream": {"type": "boolean"}, "stream_options": {"type": "object", \
        "properties": {"include_usage": {"type": "boolean"}}}, "stop": {"oneOf": [{"type": \
        "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}]}, \
        "temperature": {"type": "number", "minimum": 0, "maximum": 100, "default": 1}, \
        "top_p": {"type": "number", "minimum": 1e-09, "maximum": 1, "default": 1}, "top_k": \
        {"type": "integer", "minimum": -1, "maximum": 1000000, "default": 0}, "min_p": \
        {"type": "number", "minimum": 0, "maximum": 1, "default": 0}, "presence_penalty": \
        {"type": "number", "minimum": -2, "maximum": 2, "default": 0}, "frequency_penalty": \
        {"type": "number", "minimum": -2, "maximum": 2, "default": 0}, "repetition_penalty": \
        {"type": "number", "minimum": 0.01, "maximum": 100, "default": 1}, "logit_bias": \
        {"type": "object", "additionalProperties": {"type": "number", "minimum": -100, \
        "maximum": 100}}, "seed": {"type": "integer"}, "messages": {"type": "array", \
        "minItems": 1, "items": {"type": "object", "required": ["role"], "properties": \
        {"role": {"enum": ["system", "developer", "user", "assistant", "tool"]}, "content": \
        {"oneOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {"type": \
        "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, \
        "text": {"type": "string"}}}}]}, "tool_calls": {"type": "array"}, "tool_call_id": \
        {"type": "string"}}}}, "max_tokens": {"type": "integer", "minimum": 1, "maximum": \
        1000000}, "max_completion_tokens": {"type": "integer", "minimum": 1, "maximum": \
        1000000}, "logprobs": {"type": "boolean"}, "top_logprobs": {"type": "integer", \
        "minimum": 0, "maximum": 20}, "tools": {"type": "array", "maxItems": 128, "items": \
        {"type": "object", "required": ["type", "function"], "properties": {"type": {"const": \
        "function"}, "function": {"type": "object", "required": ["name"], "properties": \
        {"name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "strict": {"type": \
        "boolean"}, "description": {"type": "string"}, "parameters": \
        {"type": "object"}}}}}}, "tool_choice": {"oneOf": [{"enum": \
        ["auto", "none", "required"]}, {"type": "object", "required": ["type", "function"], \
        "properties": {"type": {"const": "function"}, "function": {"type": "object", \
        "required": ["name"], "properties": {"name": {"type": "string"}}}}}]}, \
        "parallel_tool_calls": {"type": "boolean", "default": true}, "response_format": \
        {"oneOf": [{"type": "object", "properties": {"type": {"enum": ["text", \
        "json_object"]}}}, {"type": "object", "required": ["type", "json_schema"], \
        "properties": {"type": {"const": "json_schema"}, "json_schema": {"type": "object", \
        "required": ["name", "schema"], "properties": {"name": {"type": "string", "pattern": \
        "^[A-Za-z0-9_-]{1,64}$"}, "strict": {"type": "boolean"}, "schema": {"type": \
        ["object", "boolean"]}}}}}]}}},
              "ChatCompletion": {"type": "object", "required": ["id", "object", "created", \
        "model", "choices"], "properties": {"id": {"type": "string"}, "object": {"const": \
        "chat.completion"}, "created": {"type": "integer"}, "model": {"type": "string"}, \
        "choices": {"type": "array", "items": {"type": "object", "required": ["index", \
        "message", "finish_reason"], "properties": {"index": {"type": "integer"}, "message": \
        {"type": "object"}, "logprobs": {"type": ["object", "null"]}, "finish_reason": \
        {"enum": ["stop", "length", "tool_calls"]}}}}, "usage": {"$ref": \
        "#/components/schemas/Usage"}}},
              "EmbeddingRequest": {"type": "object", "required": ["input"], "properties": \
        {"model": {"type": "string"}, "input": {"oneOf": [{"type": "string"}, {"type": \
        "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}, {"type": \
        "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 128}, {"type": \
        "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}, \
        "minItems": 1}, "minItems": 1, "maxItems": 128}]}, "encoding_format": {"enum": \
        ["float", "base64"]}}},
              "Embeddings": {"type": "object", "required": ["object", "data", "model", \
        "usage"], "properties": {"object": {"const": "list"}, "model": {"type": "string"}, \
        "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", \
        "embedding"], "properties": {"object": {"const": "embedding"}, "index": {"type": \
        "integer"}, "embedding": {"oneOf": [{"type": "array", "items": {"type": "number"}}, \
        {"type": "string"}]}}}}, "usage": {"$ref": "#/components/schemas/Usage"}}},
              "NextRequest": {"type": "object", "required": ["tokens"], "properties": \
        {"model": {"type": "string"}, "tokens": {"type": "array", "items": {"type": \
        "integer", "minimum": 0}, "minItems": 1}}},
              "Next": {"type": "object", "required": ["object", "model", "logprobs", \
        "usage"], "properties": {"object": {"const": "martlet.next"}, "model": {"type": \
        "string"}, "logprobs": {"type": "array", "items": {"type": ["number", "null"]}, \
        "description": "By id the natural logarithm of the probability that this token comes \
        next."}, "usage": {"$ref": "#/components/schemas/Usage"}}},
              "TokenizeRequest": {"type": "object", "required": ["prompt"], "properties": \
        {"prompt": {"type": "string"}, "add_special_tokens": {"type": "boolean", "default": \
        true}}},
              "Tokens": {"type": "object", "required": ["tokens", "count"], "properties": \
        {"tokens": {"type": "array", "items": {"type": "integer"}}, "count": {"type": \
        "integer"}, "max_model_len": {"type": "integer"}}},
              "DetokenizeRequest": {"type": "object", "required": ["tokens"], "properties": \
        {"tokens": {"type": "array", "items": {"type": "integer", "minimum": 0}}}},
              "Text": {"type": "object", "required": ["prompt"], "properties": {"prompt": \
        {"type": "string"}}},
              "Model": {"type": "object", "required": ["id", "object", "created", \
        "owned_by"], "properties": {"id": {"type": "string"}, "object": {"const": "model"}, \
        "created": {"type": "integer"}, "owned_by": {"type": "string"}, "max_model_len": \
        {"type": "integer"}}},
              "Models": {"type": "object", "required": ["object", "data"], "properties": \
        {"object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": \
        "#/components/schemas/Model"}}}},
              "Status": {"type": "object", "required": ["status"], "properties": {"status": \
        {"type": "string"}}}
            }
          }
        }
        """
}
